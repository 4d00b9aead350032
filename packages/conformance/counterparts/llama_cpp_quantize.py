"""llama.cpp's own quantiser on a GGUF file, through the library that node-llama-cpp brings.

usage: llama_cpp_quantize.py FOLDER IN OUT FILE_TYPE   (FOLDER has libllama; FILE_TYPE is a number of llama_ftype: 1 F16, 7 Q8_0; no packages needed)
"""
import ctypes
import glob
import os
import sys

folder, source, target, file_type = sys.argv[1:]


class Params(ctypes.Structure):
    """Its first two fields; the rest, whatever a version has of it, stays as the library fills it in."""

    _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int32), ("rest", ctypes.c_uint8 * 1016)]


def library(name):
    found = [path for path in glob.glob(os.path.join(folder, "*" + name + ".*")) if "-" not in os.path.basename(path)]
    return ctypes.CDLL(sorted(found)[0], mode=ctypes.RTLD_GLOBAL)


base = ctypes.CDLL(glob.glob(os.path.join(folder, "*ggml-base.*"))[0], mode=ctypes.RTLD_GLOBAL)
library("ggml").ggml_backend_load_all_from_path(folder.encode())
llama = library("llama")
llama.llama_model_quantize_default_params.restype = Params
llama.llama_model_quantize.restype = ctypes.c_uint32
params = llama.llama_model_quantize_default_params()
params.nthread, params.ftype = 1, int(file_type)
sys.exit(int(llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)) != 0))
