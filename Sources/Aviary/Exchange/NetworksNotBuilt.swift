internal import AviaryCheckpoint
internal import AviaryFormats
internal import AviaryGraph

/// Networks that people hold files of and that Aviary does not build, known by their tensors' names.
///
/// Asked only about a file that no architecture has, so that one that is built later never meets
/// its row.
struct NetworkNotBuilt {
  /// What it is called.
  let name: String
  /// Names of tensors, with `*` and `?`, all of which its files have.
  let signature: [String]
  /// Why it is not built.
  let reason: String

  private init(_ name: String, _ signature: [String], _ reason: String) {
    (self.name, self.signature, self.reason) = (name, signature, reason)
  }

  /// The network whose files have tensors of these names; nil for none of these.
  static func named(by file: WeightsFile) -> NetworkNotBuilt? {
    let names = file.tensors.names
    // What all names of a file begin with says how it was wrapped, or belongs to the network.
    let readings = [names, names.map { file.unwrapping.prefix + $0 }]
    return all.first { network in
      readings.contains { names in
        network.signature.allSatisfy { pattern in
          names.contains { Registry.matches($0, pattern) }
        }
      }
    }
  }

  private static let video = "it takes several frames of a video, and Aviary single images"
  private static let faces = "it restores faces that another network has found and aligned"
  private static let mask = "it fills what a mask marks, which Aviary does not take beside an image"
  private static let unbuilt = "its graph is not built yet"

  private static let all = [
    NetworkNotBuilt("SOFVSR", ["OFR.*", "SR.*"], video),
    NetworkNotBuilt("CAIN", ["encoder.interpolate.headConv.*"], video),
    NetworkNotBuilt("TSCUNet", ["m_layers.*.m_body.*.trans_block.*"], video),
    NetworkNotBuilt("RIFE", ["*block0.conv0.0.0.weight", "*block1.conv0.0.0.weight"], video),
    NetworkNotBuilt(
      "BasicVSR", ["spynet.*", "*backward_trunk.*", "*forward_trunk.*"], video),
    NetworkNotBuilt("EDVR", ["pcd_align.*"], video),
    NetworkNotBuilt("GFPGAN", ["toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight"], faces),
    NetworkNotBuilt(
      "CodeFormer", ["position_emb", "idx_pred_layer.1.weight", "quantize.embedding.weight"],
      faces),
    NetworkNotBuilt(
      "RestoreFormer",
      ["quantize.embedding.weight", "quant_conv.weight", "encoder.down.0.block.0.norm1.weight"],
      faces),
    NetworkNotBuilt("LaMa", ["*model.1.bn_l.running_mean"], mask),
    NetworkNotBuilt("MAT", ["*synthesis.first_stage.conv_first.conv.resample_filter"], mask),
    NetworkNotBuilt(
      "DDColor", ["refine_net.0.0.weight_orig", "encoder.arch.downsample_layers.0.0.weight"],
      "it gives colours to gray images, in a colour space that Aviary does not have"),
    NetworkNotBuilt(
      "AuraSR", ["mid_attn.layers.0.0.to_out.weight", "mid_block2.block1.proj.weights"],
      "it draws its result at random, by a style that comes from noise"),
    NetworkNotBuilt(
      "FeMaSR or AdaCode",
      ["multiscale_encoder.in_conv.weight", "before_quant_group.0.weight", "out_conv.weight"],
      unbuilt),
    NetworkNotBuilt(
      "IPT", ["head.0.1.body.0.weight", "body.encoder.layers.0.self_attn.in_proj_weight"],
      unbuilt),
    NetworkNotBuilt(
      "FFTformer", ["patch_embed.proj.weight", "encoder_level1.0.ffn.fft"], unbuilt),
    NetworkNotBuilt("HVI-CIDNet", ["HVE_block0.1.weight", "trans.density_k"], unbuilt),
    NetworkNotBuilt(
      "SAFMN-BCIE", ["feats.0.layers.0.safm.mfr.0.weight", "to_feat.1.weight"], unbuilt),
  ]
}
