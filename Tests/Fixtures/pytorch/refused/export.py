"""Writes PyTorch files that run a harmless command when Python loads them, and other files that
no reader should accept. Nothing here loads them."""

import os
import pickle
import zipfile

folder = os.path.dirname(os.path.abspath(__file__))


def archive(name, data, extra=()):
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_STORED) as file:
        for member, content in [("archive/data.pkl", data), ("archive/version", b"3\n"), *extra]:
            file.writestr(zipfile.ZipInfo(member), content)


class Command:
    """Pickled as a call of os.system."""

    def __reduce__(self):
        return (os.system, ("true",))


archive("os_system.pt", pickle.dumps({"state_dict": Command()}, protocol=2))
archive("os_system_protocol4.pt", pickle.dumps({"state_dict": Command()}, protocol=4))
# Python 2's form, without a container: the oldest exploit.
archive("eval.pt", b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.")
# Protocol 4 lets a name be a path through a harmless module.
archive(
    "through_torch.pt",
    b"\x80\x04\x8c\x13torch.serialization\x8c\x09os.system\x93\x8c\x04true\x85R.",
)
archive("instance.pt", b"\x80\x02(X\x04\x00\x00\x00truecsubprocess\nPopen\no.")
archive(
    "torchscript.pt",
    pickle.dumps({}, protocol=2),
    [("archive/constants.pkl", pickle.dumps((), protocol=2)), ("archive/code/a.py", b"")],
)
