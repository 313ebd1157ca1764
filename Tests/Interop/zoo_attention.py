"""Networks of attention, for zoo.py, by spandrel's code."""
import importlib

import torch

from zoo_networks import Case, reflected, restore_positions, spandrel

#: Buffers that follow from the sizes of windows and images: files hold them, and Aviary makes them anew.
DERIVED = (
    "relative_position_index", "relative_position_index_SA", "relative_position_index_OCA",
    "relative_position_index_h", "relative_position_index_v", "aligned_relative_position_index",
    "relative_coords_table", "attn_mask", "attn_mask_0", "attn_mask_1", "rpe_biases", "biases_h",
    "biases_v", "MetaUpsample", "init_pos", "no_norm",
)


def extra(path, name):
    """A network whose licence is not permissive, of spandrel's other package."""
    return getattr(importlib.import_module(f"spandrel_extra_arches.architectures.{path}"), name)


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
            **members}
        members["img_size"] = 2 * members["window_size"]
        factor = members["upscale"] // members.get("start_unshuffle", 1)

        def forward(module, image):
            # With pixels as channels it does not cut what it padded.
            height, width = image.shape[2:]
            return module(image)[:, :, :height * factor, :width * factor]
        return Case(
            "swinir", label, "spandrel",
            **held(lambda: spandrel("SwinIR", "SwinIR")(in_chans=channels, **members)),
            forward=forward, channels=channels,
            # spandrel renames what follows the pixels that become channels.
            rename=lambda name: name.replace("conv_first.", "conv_first.1.")
            if "start_unshuffle" in members else name,
            # There it takes multiples of windows of the smaller image alone.
            sizes=[(24, 32), (21, 30)] if "start_unshuffle" in members else None)

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
            channels=members.get("in_chans", 3), batch=2)

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


def hat():
    def case(label, **members):
        members = {
            "img_size": 16, "embed_dim": 24, "depths": [2, 1], "num_heads": [3, 2], "window_size": 8,
            "compress_ratio": 3, "squeeze_factor": 6, "mlp_ratio": 2, "upscale": 4, **members}
        return Case(
            "hat", label, "spandrel", **held(lambda: spandrel("HAT", "HAT")(**members)),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case("x2", upscale=2, overlap_ratio=1, window_size=4, embed_dim=30, num_heads=[5, 3])
    yield case("x3-gray", in_chans=1, upscale=3, depths=[3], num_heads=[4], compress_ratio=12)
    yield case(
        "x2-wide", upscale=2, window_size=16, depths=[1, 1, 1], num_heads=[2, 3, 4], squeeze_factor=8,
        mlp_ratio=1.5, resi_connection="identity", img_size=32)


def drct():
    def case(label, **members):
        members = {
            "img_size": 2 * members.get("window_size", 8), "embed_dim": 24, "depths": [6] * 2,
            "num_heads": [3] * 2, "window_size": 8, "mlp_ratio": 2, "upscale": 4,
            "upsampler": "pixelshuffle", "gc": 12, **members}
        return Case(
            "drct", label, "spandrel", **held(lambda: spandrel("DRCT", "DRCT")(**members)),
            forward=lambda module, image: reflected(
                module, image, members["window_size"], members["upscale"]),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case("x2", upscale=2, window_size=4, embed_dim=40, gc=8, num_heads=[4] * 2)
    yield case("x3-gray", in_chans=1, upscale=3, depths=[6] * 3, num_heads=[2, 3, 4], mlp_ratio=1.5)
    yield case("x2-whole", upscale=2, window_size=16, img_size=16, gc=6, num_heads=[2] * 2)


def rgt():
    def case(label, **members):
        members = {
            "img_size": 16, "embed_dim": 32, "split_size": [4, 8], "depth": [3, 2], "num_heads": [2, 4],
            "mlp_ratio": 2.0, "upscale": 4, **members}
        return Case(
            "rgt", label, "spandrel", **held(lambda: spandrel("RGT", "RGT")(**members)),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case(
        "x2", upscale=2, depth=[4], num_heads=[4], embed_dim=48, resi_connection="3conv", c_ratio=0.25,
        mlp_ratio=1.5)
    yield case("x3", upscale=3, split_size=[8, 8], depth=[2, 3], embed_dim=64, num_heads=[4, 8])
    yield case(
        "x2-gray", in_chans=1, upscale=2, split_size=[8, 2], qkv_bias=False, depth=[2, 2, 2],
        num_heads=[4, 2, 2], mlp_ratio=4.0)


def srformer():
    def case(label, **members):
        members = {
            "img_size": 2 * members.get("window_size", 8), "embed_dim": 24, "depths": [2, 1],
            "num_heads": [3, 2], "window_size": 8, "mlp_ratio": 2, "upscale": 4,
            "upsampler": "pixelshuffle", **members}
        return Case(
            "srformer", label, "spandrel-extra",
            **held(lambda: extra("SRFormer", "SRFormer")(**members)),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case(
        "light-x2", upscale=2, upsampler="pixelshuffledirect", embed_dim=20, depths=[3], num_heads=[5],
        window_size=12, mlp_ratio=1.5)
    yield case(
        "x3-gray", in_chans=1, upscale=3, depths=[1, 2, 2], num_heads=[2, 3, 4], window_size=16)
    yield case(
        "real-x4", upsampler="nearest+conv", embed_dim=32, num_heads=[4, 8], resi_connection="3conv",
        window_size=4)


def atd():
    def case(label, config=None, category=256, **members):
        members = {
            "embed_dim": 24, "depths": [2, 1], "num_heads": [3, 2], "window_size": 16, "num_tokens": 12,
            "reducted_dim": 5, "convffn_kernel_size": 5, "mlp_ratio": 2, "upscale": 4,
            "upsampler": "pixelshuffle", **members}

        def forward(module, image):
            # PyTorch's sort leaves open which of two pixels of one token comes first, unless it is told.
            plain = torch.sort
            torch.sort = lambda values, dim, stable: plain(values, dim=dim, stable=True)
            try:
                return module(image)
            finally:
                torch.sort = plain
        return Case(
            "atd", label, "spandrel",
            **held(lambda: spandrel("ATD", "ATD")(category_size=category, **members)),
            forward=forward, channels=members.get("in_chans", 3),
            config=None if category == 256 else {"category": category})

    yield case("x4")
    yield case(
        "light-x2", category=128, upscale=2, upsampler="pixelshuffledirect", embed_dim=40, depths=[3],
        num_heads=[4], num_tokens=7, reducted_dim=3, convffn_kernel_size=7, mlp_ratio=1)
    # Groups that do not divide the image, and pixels that are mirrored.
    yield case(
        "real-x4", category=100, upsampler="nearest+conv", resi_connection="3conv", embed_dim=32,
        num_heads=[4, 8], window_size=8, qkv_bias=False)
    yield case(
        "x3-gray", category=64, in_chans=1, upscale=3, depths=[1, 2, 1], num_heads=[2, 3, 4],
        window_size=8, num_tokens=20)
    yield case("x1", upscale=1, upsampler="", norm=False, embed_dim=20, num_heads=[2, 4], depths=[2, 2])


def grl():
    def case(label, **members):
        members = {
            "embed_dim": 24, "depths": [4, 1], "num_heads_window": [3, 2], "num_heads_stripe": [2, 3],
            "window_size": 8, "stripe_size": [8, 16], "stripe_shift": True, "mlp_ratio": 2,
            "anchor_window_down_factor": 4, "upscale": 4, "upsampler": "pixelshuffle", **members}
        config = {
            "window": members["window_size"], "stripe": members["stripe_size"],
            "reduction": members["anchor_window_down_factor"]}
        if not members["stripe_shift"]:
            config["shiftsStripes"] = False
        if members.get("anchor_proj_type") == "maxpool":
            config["pooling"] = "maximum"

        def build():
            module = spandrel("GRL", "GRL")(**members)
            tables = module.set_table_index_mask

            def converted(size):
                # For another size than it was built for it makes them anew, in float32.
                kind = next(module.parameters()).dtype
                return {k: v.to(kind) if v.is_floating_point() else v for k, v in tables(size).items()}
            module.set_table_index_mask = converted
            return module
        return Case(
            "grl", label, "spandrel", **held(build),
            channels=members.get("in_channels", 3), config=config)

    yield case("x4")
    yield case(
        "tiny-x2", upscale=2, upsampler="pixelshuffledirect", embed_dim=16, num_heads_window=[2, 4],
        num_heads_stripe=[4, 2], stripe_size=[16, 16], anchor_window_down_factor=2, mlp_ratio=1.5)
    yield case(
        "real-x4", upsampler="nearest+conv", conv_type="3conv", embed_dim=36, depths=[3, 2, 1],
        num_heads_window=[3, 2, 6], num_heads_stripe=[3, 6, 2], local_connection=True,
        window_size=4, stripe_size=[8, 8])
    yield case(
        "x3-gray", in_channels=1, out_channels=1, upscale=3, qkv_bias=False, stripe_shift=False,
        anchor_proj_type="maxpool", depths=[2, 3], window_size=16)
    yield case("x1", upscale=1, upsampler="", depths=[4], num_heads_window=[4], num_heads_stripe=[3])


def mprnet():
    def case(label, **members):
        members = {"n_feat": 8, "scale_unetfeats": 4, "scale_orsnetfeats": 6, "num_cab": 2, **members}
        return Case(
            "mprnet", label, "spandrel-extra", lambda: extra("MPRNet", "MPRNet")(**members),
            forward=lambda module, image: reflected(
                lambda padded: module(padded)[0], image, 8, 1),
            channels=members.get("in_c", 3))

    yield case("deraining")
    yield case("wide", n_feat=12, scale_unetfeats=8, scale_orsnetfeats=4, num_cab=1, reduction=2)
    yield case("large-kernels", kernel_size=5, num_cab=3, n_feat=12, scale_unetfeats=6)
    yield case("biased", bias=True, n_feat=16, scale_unetfeats=2, reduction=8)


def mirnet2():
    def case(label, **members):
        members = {"n_feat": 16, "n_MRB": 1, **members}
        return Case(
            "mirnet2", label, "spandrel-extra", lambda: extra("MIRNet2", "MIRNet2")(**members),
            forward=lambda module, image: reflected(module, image, 4, 1),
            channels=members.get("inp_channels", 3))

    yield case("restoration")
    yield case("two", n_MRB=2, chan_factor=2.0, n_feat=8)
    yield case("gray", inp_channels=1, out_channels=1, n_feat=64, chan_factor=1.25)
    yield case("wide", n_feat=32, n_MRB=2)


def swin2sr():
    def case(label, channels=3, **members):
        members = {
            "embed_dim": 24, "depths": [2, 1], "num_heads": [3, 2], "window_size": 8, "mlp_ratio": 2,
            **members}
        members["img_size"] = 2 * members["window_size"]
        return Case(
            "swin2sr", label, "spandrel",
            **held(lambda: spandrel("Swin2SR", "Swin2SR")(in_chans=channels, **members)),
            channels=channels)

    yield case("x4", upscale=4, upsampler="pixelshuffle")
    yield case(
        "light-x2", upscale=2, upsampler="pixelshuffledirect", embed_dim=30, depths=[3], num_heads=[5],
        mlp_ratio=1.5)
    yield case(
        "real-x4", upscale=4, upsampler="nearest+conv", resi_connection="3conv", embed_dim=32,
        num_heads=[4, 8], window_size=4)
    yield case("compressed-x4", upscale=4, upsampler="pixelshuffle_aux", depths=[1, 2])
    yield case("jpeg-gray", 1, upscale=1, upsampler="", window_size=7, img_range=255.0)
    yield case(
        "x3-plain", upscale=3, upsampler="pixelshuffle", qkv_bias=False, depths=[2, 2, 2],
        num_heads=[2, 3, 4])


def scunet():
    def case(label, **members):
        members = {"dim": 64, "config": [1] * 7, **members}
        return Case(
            "scunet", label, "spandrel", lambda: spandrel("SCUNet", "SCUNet")(**members),
            channels=members.get("in_nc", 3), sizes=[(48, 64), (61, 39)])

    yield case("colour", config=[2, 1, 1, 2, 1, 1, 2])
    yield case("gray", in_nc=1, config=[1, 2, 1, 1, 1, 2, 1])
    yield case("wide", dim=128)
    yield case("wide-gray", dim=192, in_nc=1, config=[1, 1, 1, 2, 1, 1, 1])


def restormer():
    def case(label, **members):
        members = {
            "dim": 8, "num_blocks": [1, 1, 1, 1], "num_refinement_blocks": 1, "heads": [1, 2, 4, 8],
            **members}
        return Case(
            "restormer", label, "spandrel-extra",
            lambda: extra("Restormer", "Restormer")(**members),
            forward=lambda module, image: reflected(module, image, 8, 1),
            channels=members.get("inp_channels", 3))

    yield case("restoration", num_blocks=[2, 1, 1, 2])
    yield case("denoising", LayerNorm_type="BiasFree", num_refinement_blocks=2, dim=12)
    yield case(
        "gray", LayerNorm_type="BiasFree", inp_channels=1, out_channels=1, heads=[2, 2, 4, 4],
        num_blocks=[1, 2, 1, 1])
    yield case("biased", bias=True, ffn_expansion_factor=2.0, dim=16, num_blocks=[1, 1, 2, 1])


def craft():
    def case(label, **members):
        members = {"embed_dim": 32, "depths": [1, 2], "num_heads": [2, 4], "mlp_ratio": 2.0, **members}
        return Case(
            "craft", label, "spandrel", **held(lambda: spandrel("CRAFT", "CRAFT")(**members)),
            channels=members.get("in_chans", 3))

    yield case("x4")
    yield case("x2", upscale=2, embed_dim=48, depths=[1], num_heads=[6], split_size_0=8)
    yield case(
        "x3-gray", in_chans=1, upscale=3, depths=[1, 1, 1], num_heads=[2, 2, 4], qkv_bias=False,
        split_size_0=2, split_size_1=8)
    yield case("x2-square", upscale=2, split_size_0=8, split_size_1=8, mlp_ratio=1.5, embed_dim=64)


def ditn():
    def case(label, **members):
        members = {"dim": 12, "ITL_blocks": 2, "SAL_blocks": 1, **members}
        return Case("ditn", label, "spandrel", lambda: spandrel("DITN", "DITN")(**members))

    yield case("x4")
    yield case("x2", upscale=2, dim=16, SAL_blocks=2, ITL_blocks=1, bias=True)
    yield case("x3", upscale=3, UFONE_blocks=2, ffn_expansion_factor=3, dim=8)
    yield case("x1", upscale=1, ffn_expansion_factor=1.5, SAL_blocks=3)


def dctlsa():
    def case(label, heads=5, **members):
        members = {"nf": 10, **members}
        return Case(
            "dctlsa", label, "spandrel",
            lambda: spandrel("DCTLSA", "DCTLSA")(num_head=heads, **members),
            channels=members.get("in_nc", 3), config=None if heads == 5 else {"heads": heads})

    yield case("x4")
    yield case("x2", upscale=2, nf=15)
    yield case("x3-gray", upscale=3, in_nc=1, out_nc=1, nf=20)
    yield case("x2-three", heads=3, upscale=2, nf=12)


def fdat():
    def case(label, **members):
        members = {
            "embed_dim": 24, "num_groups": 2, "depth_per_group": 1, "num_heads": 3, "window_size": 8,
            "mid_dim": 16, **members}

        def build():
            network = spandrel("FDAT", "FDAT")
            # Its DySample pins memory, which takes an accelerator; the shared one is the same without.
            importlib.import_module("spandrel.architectures.FDAT.__arch.fdat").DySample = (
                lambda inputs, outputs, scale, groups, end_kernel: importlib.import_module(
                    "spandrel.architectures.__arch_helpers.dysample").DySample(
                        inputs, outputs, scale, groups))
            return network(**members)
        # Half of its blocks have layers that they do not use.
        return Case(
            "fdat", label, "spandrel",
            build, channels=members.get("num_in_ch", 3), prepare=restore_positions, loses=True,
            derived=is_derived)

    yield case("x4")
    yield case("x2", scale=2, window_size=4, embed_dim=32, num_heads=4, upsampler_type="pixelshuffle")
    yield case(
        "x3-gray", scale=3, num_in_ch=1, num_out_ch=1, num_groups=1, depth_per_group=2,
        upsampler_type="nearest+conv", ffn_expansion_ratio=1.5)
    yield case(
        "x2-unshuffle", scale=2, unshuffle_mod=True, upsampler_type="pixelshuffledirect",
        aim_reduction_ratio=4)
    yield case("x4-attention", upsampler_type="pa_up")
    yield case("x4-dysample", upsampler_type="dysample")
    yield case("x3-transposed", scale=3)
    yield case("x1", scale=1, upsampler_type="conv")


def moesr():
    def case(label, **members):
        members = {"dim": 16, "n_blocks": 2, "n_block": 1, **members}
        return Case(
            "moesr", label, "spandrel", lambda: spandrel("MoESR", "MoESR")(**members),
            channels=members.get("in_ch", 3), prepare=restore_positions, loses=True,
            derived=is_derived)

    yield case("x4")
    yield case("x2", scale=2, upsampler="pixelshuffle", upsample_dim=24, n_block=2, expansion_msg=2)
    yield case("x3-gray", scale=3, in_ch=1, out_ch=1, upsampler="nearest+conv", dim=24)
    yield case("x1", scale=1, upsampler="conv", n_blocks=1, expansion_factor=1.5)


def retinexformer():
    def case(label, **members):
        members = {"n_feat": 12, "stage": 1, "num_blocks": [1, 1, 1], **members}
        return Case(
            "retinexformer", label, "spandrel",
            lambda: spandrel("RetinexFormer", "RetinexFormer")(**members),
            forward=lambda module, image: reflected(module, image, 4, 1))

    yield case("low-light", num_blocks=[1, 2, 2])
    yield case("stages", stage=3)
    yield case("wide", n_feat=20, num_blocks=[2, 1, 1])
    yield case("two", n_feat=8, stage=2, num_blocks=[1, 2, 1])


def seemore():
    def case(label, config=None, **members):
        members = {"embedding_dim": 12, "num_layers": 2, "num_experts": 3, "lr_space": "exp", **members}
        return Case(
            "seemore", label, "spandrel", lambda: spandrel("SeemoRe", "SeemoRe")(**members),
            prepare=lambda module: setattr(module, "mean", module.mean.double()), config=config)

    yield case("x4")
    yield case("x2", scale=2, embedding_dim=16, lr_space="linear", global_kernel_size=7)
    yield case(
        "x3-once", scale=3, recursive=1, use_shuffle=False, num_experts=4, num_layers=3,
        config={"reductions": 1, "shuffles": False})
    yield case(
        "x2-two", scale=2, topk=2, num_experts=5, lr_space="double", config={"chosen": 2})


def uformer():
    def case(label, **members):
        # The reference takes squares alone.
        members = {
            "embed_dim": 8, "depths": [2, 1, 1, 2, 2, 1, 1, 1, 2], "num_heads": [1, 2, 4, 8, 8, 8, 4, 2, 1],
            "win_size": 2, "mlp_ratio": 2.0, **members}
        side = 16 * members["win_size"]
        return Case(
            "uformer", label, "spandrel",
            **held(lambda: spandrel("Uformer", "Uformer")(**members)), sizes=[(side, side), (2 * side, 2 * side)])

    yield case("modulated", modulator=True)
    yield case("plain", win_size=4, embed_dim=12, num_heads=[2, 2, 4, 4, 6, 8, 4, 2, 2])
    yield case(
        "perceptron", token_mlp="ffn", qkv_bias=False, mlp_ratio=4.0, depths=[1, 1, 2, 1, 1, 1, 1, 2, 1])
    yield case("dense", token_mlp="fastleff", modulator=True, mlp_ratio=1.0, win_size=4)


def kbnet():
    def case(label, **members):
        members = {
            "width": 8, "middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1], **members}

        def build():
            return spandrel("KBNet", "KBNet_s")(**members)
        return Case("kbnet", label, "spandrel", build, channels=members.get("img_channel", 3))

    yield case("two-levels")
    yield case("gray", img_channel=1, width=16, middle_blk_num=2, enc_blk_nums=[2, 1], dec_blk_nums=[1, 2])
    yield case("light", lightweight=True, width=4, enc_blk_nums=[1], dec_blk_nums=[2])
    yield case("wide", width=32, ffn_scale=4, enc_blk_nums=[1], dec_blk_nums=[1])


def kbnet_l():
    def case(label, **members):
        members = {
            "dim": 8, "num_blocks": [1, 1, 1, 1], "num_refinement_blocks": 1, "heads": [1, 2, 4, 8],
            **members}
        return Case(
            "kbnet-l", label, "spandrel", lambda: spandrel("KBNet", "KBNet_l")(**members),
            forward=lambda module, image: reflected(module, image, 8, 1),
            channels=members.get("inp_channels", 3))

    # Channels of the levels are below 24 or multiples of it.
    yield case("deraining", dim=24, num_blocks=[1, 1, 1, 2])
    yield case("biased", dim=6, bias=True, heads=[2, 1, 3, 4], ffn_expansion_factor=2.0)
    yield case(
        "gray", dim=12, inp_channels=1, out_channels=1, num_refinement_blocks=2,
        num_blocks=[2, 1, 1, 1])
    yield case("narrow", dim=6, num_blocks=[1, 2, 1, 1], ffn_expansion_factor=1.0, heads=[1, 1, 2, 2])


def cases():
    for family in (
        swinir, dat, omnisr, hat, srformer, drct, rgt, atd, grl, swin2sr, craft, scunet, restormer, dctlsa, ditn,
        fdat, moesr, retinexformer, seemore, uformer, kbnet, kbnet_l, mprnet,
        mirnet2,
    ):
        yield from family()
