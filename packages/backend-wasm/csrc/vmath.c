#include "vmath.h"

#define VECTOR_CONSTANT_VALUE(name, value) value,
float vectorConstants[] = {VECTOR_CONSTANTS(VECTOR_CONSTANT_VALUE)};
