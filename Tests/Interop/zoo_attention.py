"""Networks of attention, for zoo.py, by spandrel's code."""
import torch

from zoo_networks import Case, spandrel

#: Buffers that follow from the sizes of windows and images: files hold them, and Aviary makes them anew.
DERIVED = (
    "relative_position_index", "attn_mask", "attn_mask_0", "attn_mask_1", "rpe_biases",
)


def is_derived(name):
    return name.split(".")[-1] in DERIVED


def held(build):
    """A network whose derived buffers stay as they are where all else gets random values, and whose mean
    colour, a plain attribute, is float64 too."""
    def made():
        module = build()
        module.derived = {
            name: tensor.clone() for name, tensor in module.named_buffers() if is_derived(name)}
        return module

    def prepare(module):
        state = module.state_dict()
        with torch.no_grad():
            for name, tensor in module.derived.items():
                state[name].copy_(tensor)
        if isinstance(getattr(module, "mean", None), torch.Tensor):
            module.mean = module.mean.double()
    return {"build": made, "prepare": prepare, "derived": is_derived}


def swinir():
    def case(label, channels=3, **members):
        members = {
            "embed_dim": 24, "depths": [2, 1], "num_heads": [3, 2], "window_size": 8, "mlp_ratio": 2,
            "img_size": 16, **members}
        factor = members["upscale"] // members.get("start_unshuffle", 1)

        def forward(module, image):
            # With pixels as channels it does not cut what it padded.
            height, width = image.shape[2:]
            return module(image)[:, :, :height * factor, :width * factor]
        return Case(
            "swinir", label, "spandrel",
            **held(lambda: spandrel("SwinIR", "SwinIR")(in_chans=channels, **members)),
            forward=forward, channels=channels, tolerance=members.pop("tolerance", 1e-5))

    yield case("x4", upscale=4, upsampler="pixelshuffle")
    yield case(
        "light-x2", upscale=2, upsampler="pixelshuffledirect", embed_dim=30, depths=[3], num_heads=[5],
        mlp_ratio=1.5)
    yield case(
        "real-x4", upscale=4, upsampler="nearest+conv", resi_connection="3conv", embed_dim=32,
        num_heads=[4, 8], window_size=4)
    yield case("x3", upscale=3, upsampler="pixelshuffle", depths=[1, 2, 1], num_heads=[2, 3, 4])
    yield case("jpeg-gray", 1, upscale=1, upsampler="", window_size=7, img_range=255.0)
    yield case("denoising", upscale=1, upsampler="", embed_dim=16, num_heads=[2, 4], depths=[2, 2])
    yield case(
        "x2-unshuffle", upscale=4, upsampler="pixelshuffle", start_unshuffle=2, window_size=4,
        num_heads=[4, 6])
    yield case("real-x2", upscale=2, upsampler="nearest+conv", depths=[2], num_heads=[3])
    yield case(
        "deep", upscale=2, upsampler="pixelshuffle", depths=[6, 6, 6, 6], num_heads=[2] * 4)


def dat():
    def case(label, **members):
        members = {
            "img_size": 16, "embed_dim": 32, "split_size": [4, 8], "depth": [3, 2], "num_heads": [2, 4],
            "expansion_factor": 2.0, "upscale": 4, **members}
        return Case(
            "dat", label, "spandrel", **held(lambda: spandrel("DAT", "DAT")(**members)),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case(
        "light-x2", upscale=2, upsampler="pixelshuffledirect", depth=[4], num_heads=[4], embed_dim=48,
        resi_connection="3conv", expansion_factor=1.5)
    yield case("x3", upscale=3, split_size=[8, 8], depth=[1, 3], embed_dim=64, num_heads=[4, 8])
    yield case(
        "x2-gray", in_chans=1, upscale=2, split_size=[8, 2], qkv_bias=False, depth=[2, 1, 2],
        num_heads=[4, 2, 2], expansion_factor=4.0)


def omnisr():
    def case(label, **members):
        members = {"num_feat": 16, "res_num": 2, "window_size": 8, "up_scale": 4, **members}
        return Case(
            "omnisr", label, "spandrel", lambda: spandrel("OmniSR", "OmniSR")(**members),
            channels=members.get("num_in_ch", 3),
            config={"window": members["window_size"]} if members.get("pe") is False else None)

    yield case("x4")
    yield case("x2", up_scale=2, num_feat=24, window_size=4, block_num=2, res_num=1)
    yield case("x3-gray", up_scale=3, num_in_ch=1, num_out_ch=1, bias=False, num_feat=80)
    yield case("x1-plain", up_scale=1, pe=False, window_size=4, res_num=3)


def cases():
    for family in (swinir, dat, omnisr):
        yield from family()
