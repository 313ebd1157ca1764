import Aviary
import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

/// What no file shows: it is told, asked for, or the reason why a network is refused.
@Suite("what an import assumes, asks and refuses")
struct ImportAssumptionsTests {
  /// A PyTorch file of random tensors of these names and shapes.
  private func weights(
    _ tensors: [(String, [Int])], in folder: borrowing TemporaryFolder, _ name: String = "own.pth"
  ) throws -> String {
    var generator = SplitMix64(seed: 11)
    let path = folder.file(name)
    let named = NamedTensors(tensors.map { ($0.0, generator.tensor($0.1, in: -0.05...0.05)) })
    try TorchZip.write(TensorSource(named), record: nil, to: path)
    return path
  }

  private static let srcnn: [(String, [Int])] = [
    ("features.0.weight", [64, 1, 9, 9]), ("features.0.bias", [64]),
    ("map.0.weight", [32, 64, 5, 5]), ("map.0.bias", [32]),
    ("reconstruction.weight", [1, 32, 5, 5]), ("reconstruction.bias", [1]),
  ]

  private static func chain(blocks: Bool) -> [(String, [Int])] {
    var tensors: [(String, [Int])] = []
    for layer in 0..<20 {
      let name =
        blocks && (1..<19).contains(layer)
        ? "blocks.\((layer - 1) / 2).\(layer % 2 == 1 ? "one" : "two")" : "unit\(layer)"
      tensors.append(
        ("\(name).weight", [layer == 19 ? 1 : 64, layer == 0 ? 1 : 64, 3, 3]))
      tensors.append(("\(name).bias", [layer == 19 ? 1 : 64]))
    }
    return tensors
  }

  @Test("an activation is the first assumption, with what changes it and by how much")
  func activation() throws {
    let folder = try TemporaryFolder()
    let path = try weights(Self.srcnn, in: folder)
    let convert = try Outcome(["convert", path, folder.file("a.h5")])
    try #require(convert.status == 0, "\(convert.error)")
    let line = try #require(
      convert.output.split(separator: "\n").first { $0.hasPrefix("Assumed") })
    let wanted =
      #/activation: "relu" \(--config '{"activation": "tanh"}' changes it, and the result for a natural image by (up to \d+|less than 1) of 255\)/#
    #expect(line.firstMatch(of: wanted) != nil, "\(line)")
    #expect(
      convert.output.contains(
        "how the layers are connected, which kinds, places and shapes do not show"))
    let picture = fixture("pictures/gray-8.png")
    let run = try Outcome(["run", path, picture, "-o", folder.file("a.png"), "--scale", "2"])
    #expect(run.error.firstMatch(of: wanted) != nil, "\(run.error)")
    // Stated, it is what is computed, and nothing to be said of.
    let stated = try Outcome([
      "convert", path, folder.file("b.h5"), "--config", #"{"activation": "tanh"}"#, "--json",
    ])
    let report = try #require(try stated.json()["report"] as? [String: Any])
    let assumed = try #require(report["assumed"] as? [String])
    #expect(!assumed.contains { $0.hasPrefix("activation") })
    #expect((report["alternatives"] as? [Any])?.isEmpty == true)
    let diff = try Outcome(["diff", folder.file("a.h5"), folder.file("b.h5")])
    #expect(diff.status == 1)
  }

  @Test("of two activations that are both usual the import asks")
  func asks() throws {
    let folder = try TemporaryFolder()
    let path = fixture("architectures/espcn.x3/weights.pt")
    let line =
      #"\#(path): fits espcn, which is used with activation "tanh" and with "relu", and nothing in "#
      + #"the file says which; state it: --config '{"activation": "tanh"}' or --config "#
      + #"'{"activation": "relu"}'"#
    let picture = fixture("pictures/gray-8.png")
    for command in [
      ["convert", path, folder.file("a.h5")],
      ["run", path, picture, "-o", folder.file("a.png")],
    ] {
      expectFailure(try Outcome(command), 65, line)
    }
    #expect(try folder.names == [])
    let inspect = try Outcome(["inspect", path])
    #expect(inspect.status == 0)
    #expect(inspect.output.contains("fits espcn, which is used with activation"))
    for activation in ["tanh", "relu"] {
      let convert = try Outcome([
        "convert", path, folder.file("\(activation).h5"), "--config",
        #"{"activation": "\#(activation)"}"#, "--json",
      ])
      #expect(convert.status == 0)
      let configuration = try convert.json()["configuration"] as? [String: Any]
      #expect(configuration?["activation"] as? String == activation)
    }
    // Our own file states it, and so does what it is exported to.
    let pt = folder.file("own.pt")
    #expect(try Outcome(["convert", folder.file("relu.h5"), pt]).status == 0)
    let back = try Outcome(["convert", pt, folder.file("back.h5"), "--json"])
    #expect(back.status == 0, "\(back.error)")
    let configuration = try back.json()["configuration"] as? [String: Any]
    #expect(configuration?["activation"] as? String == "relu")
  }

  @Test("a chain that two networks have is refused, and both are named")
  func ambiguous() throws {
    let folder = try TemporaryFolder()
    let path = try weights(Self.chain(blocks: false), in: folder)
    let convert = try Outcome(["convert", path, folder.file("a.h5")])
    #expect(convert.status == 65)
    #expect(convert.error.contains("the weights fit several architectures: dncnn {"))
    #expect(convert.error.contains("; vdsr {"))
    let stated = try Outcome(["convert", path, folder.file("a.h5"), "--as", "vdsr"])
    #expect(stated.status == 0, "\(stated.error)")
  }

  @Test("the nearest is told by shape, and what would run is said")
  func nearest() throws {
    let folder = try TemporaryFolder()
    // The shapes of VDSR in blocks, which a chain has not.
    let blocks = try weights(Self.chain(blocks: true), in: folder)
    let byShape = try Outcome(["convert", blocks, folder.file("a.h5")])
    #expect(byShape.status == 65)
    #expect(byShape.error.contains("nearest: by shape this is dncnn {"), "\(byShape.error)")
    #expect(byShape.error.contains("its names are model.0.weight, model.0.bias, model.2.weight, …"))
    #expect(byShape.error.contains("then vdsr {"))
    #expect(byShape.error.contains("} by shape"))
    #expect(byShape.error.hasSuffix("exported as ONNX, the network itself would run\n"))
    // One tensor too many: still the network whose shapes these are, and no small one.
    let more = try weights(
      Self.chain(blocks: false) + [("extra.weight", [7, 7])], in: folder, "more.pth")
    let near = try Outcome(["inspect", more, "--json"]).json()
    let nearest = try #require(near["nearest"] as? [[String: Any]])
    let networks = nearest.prefix(2).compactMap { $0["network"] as? String }
    #expect(networks.contains { $0.hasPrefix("vdsr ") }, "\(networks)")
    #expect(!networks.contains { $0.hasPrefix("espcn ") }, "\(networks)")
  }

  @Test(
    "networks that are not built are refused by name, with the reason",
    arguments: [
      ("SOFVSR", ["OFR.RNN1.0.weight", "SR.body.0.weight"], "several frames of a video"),
      (
        "CAIN", ["encoder.interpolate.headConv.weight", "encoder.interpolate.tailConv.weight"],
        "several frames of a video"
      ),
      (
        "TSCUNet", ["m_head.0.weight", "m_layers.0.m_body.0.trans_block.mlp.0.weight"],
        "several frames of a video"
      ),
      (
        "RIFE", ["flownet.block0.conv0.0.0.weight", "flownet.block1.conv0.0.0.weight"],
        "several frames of a video"
      ),
      ("GFPGAN", ["toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight"], "faces"),
      ("LaMa", ["generator.model.1.bn_l.running_mean", "generator.model.1.a.weight"], "a mask"),
    ])
  func notBuilt(_ name: String, _ names: [String], _ reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try weights(names.map { ($0, [3, 3]) }, in: folder)
    let convert = try Outcome(["convert", path, folder.file("a.h5")])
    #expect(convert.status == 69, "\(convert.error)")
    #expect(
      convert.error.hasPrefix(
        "aviary: \(path): by its tensors' names this is \(name), which Aviary does not compute: "),
      "\(convert.error)")
    #expect(convert.error.contains(reason))
    let inspect = try Outcome(["inspect", path])
    #expect(inspect.status == 0)
    #expect(inspect.output.contains("this is \(name)"))
  }

  @Test("a noise level for a network that is told none: those that are, as the registry has them")
  func strength() throws {
    let folder = try TemporaryFolder()
    let told = Registry.builtin.architectures.filter {
      $0.presets[0].configuration["noise"] != nil
    }.map(\.info.name)
    #expect(told.contains("drunet") && told.contains("ffdnet"))
    expectFailure(
      try Outcome([
        "run", "bicubic", fixture("pictures/gray-8.png"), "-o", folder.file("a.png"), "--scale",
        "2", "--strength", "5",
      ]), 69,
      "bicubic: takes no strength; those that are told the noise level are "
        + told.joined(separator: ", "))
  }

  @Test(
    "files of other kinds are refused for their true reason", .enabled(if: SharedFolder.isPresent),
    arguments: [
      (
        "qint8.pth", "conv1.weight: a tensor of quantized values (save tensor.dequantize() instead)"
      ),
      (
        "lightning_gan.ckpt",
        "a file of several networks (discriminator, generator, perceptual) without --part to choose one"
      ),
    ])
  func wrapped(_ name: String, _ reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try #require(SharedFolder.path("cases/torch-wrapped/\(name)"))
    expectFailure(
      try Outcome(["convert", path, folder.file("a.h5")]), 69,
      "\(path): \(reason) is not supported")
  }

  @Test("one network of several is chosen", .enabled(if: SharedFolder.isPresent))
  func part() throws {
    let folder = try TemporaryFolder()
    let path = try #require(SharedFolder.path("cases/torch-wrapped/lightning_gan.ckpt"))
    let convert = try Outcome([
      "convert", path, folder.file("a.h5"), "--part", "generator", "--json",
    ])
    try #require(convert.status == 0, "\(convert.error)")
    let json = try convert.json()
    #expect(json["architecture"] as? String == "srcnn")
    let unwrapping = try #require(
      (json["report"] as? [String: Any])?["unwrapping"] as? [String: Any])
    #expect(unwrapping["path"] as? [String] == ["state_dict", "generator"])
    #expect(
      unwrapping["ignored"] as? [String] == [
        "discriminator (a network of 1 tensor)", "perceptual (a network of 2 tensors)",
      ])
    let absent = try Outcome(["convert", path, folder.file("b.h5"), "--part", "netX"])
    #expect(absent.status == 65)
    #expect(absent.error.contains("generator"), "\(absent.error)")
  }

  /// The same image as gray and as RGB, run through a network.
  private func results(
    of model: String, _ options: [String] = [], in folder: borrowing TemporaryFolder
  ) throws -> (gray: Image, rgb: Image) {
    let source = try Image(contentsOf: fixture("pictures/gray-8.png"))
    let copy = folder.file("copy.png")
    try source.converted(to: .rgb).write(to: copy)
    var results: [Image] = []
    for (number, image) in [fixture("pictures/gray-8.png"), copy].enumerated() {
      let out = folder.file("\(number).png")
      let run = try Outcome(["run", model, image, "-o", out, "--quiet", "--exact"] + options)
      try #require(run.status == 0, "\(run.error)")
      results.append(try Image(contentsOf: out))
    }
    return (results[0], results[1])
  }

  /// A gray result has what the colour result shows, as gray.
  private func largest(_ gray: Image, _ rgb: Image) throws -> Float {
    let other = try rgb.converted(to: .gray)
    try #require(gray.channels == 1 && gray.width == rgb.width && gray.height == rgb.height)
    var largest: Float = 0
    for row in 0..<gray.height {
      for column in 0..<gray.width {
        largest = max(largest, abs(gray[0, row, column] - other[0, row, column]))
      }
    }
    return largest
  }

  @Test("a gray image and its copy in RGB give the same")
  func grayAndRGB() throws {
    let folder = try TemporaryFolder()
    for (model, options) in [
      // On gray and on RGB. Networks on luma take a gray image's values as they are, as published
      // figures do, and of RGB the luma in studio range.
      ("architectures/plain-cae.same", ["--scale", "2"]), ("architectures/fusion-cae.x2", []),
      ("architectures/residual-cae.default", ["--scale", "2"]),
    ] as [(String, [String])] {
      let (gray, rgb) = try results(of: fixture("\(model)/weights.pt"), options, in: folder)
      #expect(try largest(gray, rgb) <= 1.01 / 255, "\(model)")
    }
  }
}
