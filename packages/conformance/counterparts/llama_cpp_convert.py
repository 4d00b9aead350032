"""A GGUF file of a Hugging Face folder by llama.cpp's own converter, without a tokenizer.

usage: llama_cpp_convert.py LLAMA_CPP FOLDER OUT   (LLAMA_CPP is a checkout of llama.cpp; needs what its converter needs)
"""
import pathlib, sys

checkout = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(checkout), str(checkout / "gguf-py")]
import gguf
from conversion import base, get_model_class

folder = pathlib.Path(sys.argv[2])
model = get_model_class(base.ModelBase.load_hparams(folder, False)["architectures"][0])


def no_vocabulary(self):
    self.gguf_writer.add_tokenizer_model("none")


for each in model.__mro__:
    if "set_vocab" in each.__dict__:
        each.set_vocab = no_vocabulary
model.no_mtp = True
model(folder, gguf.LlamaFileType.ALL_F32, pathlib.Path(sys.argv[3])).write()
