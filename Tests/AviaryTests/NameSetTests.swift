import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

@testable import Aviary

/// Files for PyTorch under the names that weights came with, or that are asked for.
@Suite("names in PyTorch's files") struct NameSetTests {
  private static let unet: JSON = [
    "widths": [4, 8, 12], "convolutions": 2, "decoderConvolutions": 2, "bias": false,
    "normalization": "batch", "activatesUpsampling": false, "skips": "concatenate",
    "outputKernel": 1, "outputActivation": "none",
  ]
  private static let milesial = "milesial/Pytorch-UNet"

  private func stored(_ name: String, _ configuration: JSON) throws -> StoredModel {
    let model = try Models.random(name, configuration, seed: 9)
    let network = try Registry.builtin[name].network(configuration)
    return StoredModel(network, weights: TensorSource(model.weights), card: Card())
  }

  /// A file without anything of ours, as others have it.
  private func bare(_ source: String, to path: String) throws {
    let tensors = try WeightsFile.read(source).tensors
    try TorchZip.write(tensors, record: nil, to: path)
  }

  @Test(arguments: [TargetFormat.pytorch, .safetensors])
  func namesOfASource(_ format: TargetFormat) throws {
    let folder = try TemporaryFolder()
    let model = try stored("autoencoder", Self.unet)
    let path = folder.file("unet.pt")
    let report = try model.write(
      to: path, as: format, names: model.names(Self.milesial, in: .builtin))
    #expect(report.names == Self.milesial)
    let names = try WeightsFile.read(path).tensors.names
    #expect(names.contains("inc.double_conv.0.weight"))
    #expect(names.contains("down2.maxpool_conv.1.double_conv.4.running_mean"))
    #expect(names.contains("up1.up.bias") && names.contains("up2.conv.double_conv.3.weight"))
    #expect(names.contains("outc.conv.weight"))
    #expect(!names.contains { $0.hasPrefix("encoder") || $0.hasPrefix("decoder") })
    // Read back by the record, under our own names.
    let again = try StoredModel.imported(from: path, registry: .builtin)
    #expect(again.network == model.network)
    for parameter in model.network.graph.parameters where parameter.role != .nonPersistent {
      #expect(try again.weights.tensor(parameter.name) == model.weights.tensor(parameter.name))
    }
    #expect(again.report?.reason.contains("record") == true)
  }

  /// What came under others' names goes out under them, and under others when it is told so.
  @Test func namesThatTheWeightsCameWith() throws {
    let folder = try TemporaryFolder()
    let model = try stored("autoencoder", Self.unet)
    let (named, file) = (folder.file("named.pt"), folder.file("file.pth"))
    _ = try model.write(
      to: named, as: .pytorch, names: model.names(Self.milesial, in: .builtin))
    try bare(named, to: file)
    var options = ImportOptions()
    options.configuration = ["outputActivation": "none"]
    let imported = try StoredModel.imported(from: file, options, registry: .builtin)
    #expect(imported.network.architecture == "autoencoder")
    let checkpoint = folder.file("unet.h5")
    _ = try imported.write(to: checkpoint, as: .aviary)
    let opened = try StoredModel(opening: checkpoint, registry: .builtin)
    let back = folder.file("back.pth")
    let report = try opened.write(to: back, as: .pytorch)
    #expect(report.names == "file")
    let (expected, found) = try (WeightsFile.read(file).tensors, WeightsFile.read(back).tensors)
    #expect(Set(expected.names) == Set(found.names))
    for name in expected.names {
      #expect(try expected.tensor(name) == found.tensor(name), "\(name)")
    }
    // The graph's own on demand, which the next reader takes for those of the file.
    let own = folder.file("own.pt")
    let plain = try opened.write(to: own, as: .pytorch, names: opened.names("aviary", in: .builtin))
    #expect(plain.names == nil)
    #expect(try WeightsFile.read(own).tensors.names.contains("encoder.0.conv0.weight"))
    let reread = try StoredModel.imported(from: own, registry: .builtin)
    let last = folder.file("last.pt")
    _ = try reread.write(to: last, as: .pytorch)
    #expect(try WeightsFile.read(last).tensors.names == WeightsFile.read(own).tensors.names)
  }

  /// The user's own rules are undone as well.
  @Test func namesByRules() throws {
    let folder = try TemporaryFolder()
    let model = try stored("autoencoder", Self.unet)
    let own = folder.file("own.pt"), file = folder.file("file.pth")
    _ = try model.write(to: own, as: .pytorch)
    let tensors = try WeightsFile.read(own).tensors.renamed { "x_" + $0 }
    try TorchZip.write(tensors, record: nil, to: file)
    var options = ImportOptions()
    options.configuration = ["outputActivation": "none"]
    options.names = try NameMap(
      "rules",
      pairs: [
        ["x_encoder.{i}.conv{j}", "encoder.{i}.conv{j}"],
        ["x_encoder.{i}.norm{j}", "encoder.{i}.norm{j}"],
        ["x_decoder.{i}.conv{j}", "decoder.{i}.conv{j}"],
        ["x_decoder.{i}.norm{j}", "decoder.{i}.norm{j}"], ["x_decoder.{i}.up", "decoder.{i}.up"],
        ["x_output", "output"],
      ])
    let imported = try StoredModel.imported(from: file, options, registry: .builtin)
    let back = folder.file("back.pth")
    _ = try imported.write(to: back, as: .pytorch)
    #expect(try Set(WeightsFile.read(back).tensors.names) == Set(tensors.names))
  }

  /// Sources whose names differ by rules that the configuration has.
  @Test func namesOfAConfiguration() throws {
    let members: [String: JSON] = ["features": 4, "blocks": 2, "growth": 2, "scale": 4]
    let model = try stored("esrgan", .object(members))
    let folder = try TemporaryFolder()
    for name in ["old", "esrgan"] {
      let path = folder.file("\(name).pth")
      _ = try model.write(to: path, as: .pytorch, names: model.names(name, in: .builtin))
      let other = try Registry.builtin["esrgan"].network(
        .object(members.merging(["names": .string(name)]) { $1 }))
      // `model.` before all names is taken for a wrapper's, until they turn out to need it.
      let file = try WeightsFile.read(path)
      #expect(
        file.tensors.names.map { file.unwrapping.prefix + $0 }.sorted()
          == other.graph.parameters.map(\.name).sorted())
      // Another network's under its own names: the same weights, layer by layer.
      let bare = folder.file("\(name)-bare.pth")
      try self.bare(path, to: bare)
      let imported = try StoredModel.imported(from: bare, registry: .builtin)
      #expect(imported.network.configuration["names"] == .string(name))
      for (own, its) in zip(model.network.graph.parameters, other.graph.parameters) {
        #expect(try model.weights.tensor(own.name) == imported.weights.tensor(its.name))
      }
    }
  }

  @Test func unknownNamesAreListed() throws {
    let model = try stored("autoencoder", Self.unet)
    let error = #expect(throws: AviaryError.self) { try model.names("keras", in: .builtin) }
    let message = error?.description ?? ""
    #expect(message.hasPrefix("autoencoder: expected names of aviary, \(Self.milesial), "))
    #expect(message.hasSuffix(", found 'keras'"))
    let esrgan = try stored("esrgan", ["features": 4, "blocks": 1, "growth": 2])
    let other = #expect(throws: AviaryError.self) { try esrgan.names("new", in: .builtin) }
    #expect(
      other?.description
        == "esrgan: expected names of aviary, basicsr, esrgan, old, found 'new'")
    // EDSR's two sources differ by more than names.
    let edsr = try stored("edsr", ["features": 4, "blocks": 1])
    let third = #expect(throws: AviaryError.self) { try edsr.names("basicsr", in: .builtin) }
    #expect(third?.description == "edsr: expected names of aviary, original, found 'basicsr'")
  }

  /// The module that is written beside a state dict has its names.
  @Test func moduleHasTheNames() throws {
    let folder = try TemporaryFolder()
    let model = try stored("autoencoder", Self.unet)
    let module = folder.file("unet.py")
    _ = try model.write(
      to: folder.file("unet.pt"), as: .pytorch, module: module,
      names: model.names(Self.milesial, in: .builtin))
    let text = try String(contentsOfFile: module, encoding: .utf8)
    #expect(text.contains("double_conv") && text.contains("maxpool_conv"))
    #expect(!text.contains("self.encoder") && !text.contains("\"encoder"))
  }

  /// Buffers that programs want which load the file strictly.
  @Test func buffers() throws {
    let folder = try TemporaryFolder()
    let plksr = try stored(
      "realplksr",
      ["scale": 3, "features": 8, "blocks": 1, "kernel": 5, "partial": 2, "dysample": true])
    let path = folder.file("plksr.pt"), module = folder.file("plksr.py")
    _ = try plksr.write(to: path, as: .pytorch, module: module)
    let file = try WeightsFile.read(path)
    let places = try #require(try file.tensors.tensor("to_img.init_pos"))
    let groups = plksr.network.graph.nodes.count { $0.op.name == "gridSample" }
    #expect(places.shape == [1, 2 * groups * 9, 1, 1])
    // To the right and down by thirds of a pixel: group after group, to the right first.
    let third: Float = 1.0 / 3
    let row = [-third, 0, third]
    let right = row + row + row
    let down = [-third, -third, -third, 0, 0, 0, third, third, third]
    let expected = (0..<groups).flatMap { _ in right } + (0..<groups).flatMap { _ in down }
    for (a, b) in zip(places.floats, expected) { #expect(abs(a - b) < 1e-6) }
    #expect(
      try String(contentsOfFile: module, encoding: .utf8).contains("init_pos"))
    let again = try StoredModel.imported(from: path, registry: .builtin)
    #expect(try ContentHash.of(again.weights) == ContentHash.of(plksr.weights))

    let mosr = try stored("mosrv2", ["features": 16, "blocks": 1, "hidden": 24])
    let other = folder.file("mosrv2.safetensors")
    _ = try mosr.write(to: other, as: .safetensors)
    let facts = try #require(try WeightsFile.read(other).tensors.tensor("to_img.MetaUpsample"))
    #expect(facts.elementType == .uint8 && facts.shape == [7])
    #expect(facts.converted(to: .float32).floats == [2, 1, 4, 16, 3, 32, 4])
    // A file that others wrote is recognised by the same.
    let bare = folder.file("bare.pth")
    try self.bare(other, to: bare)
    let imported = try StoredModel.imported(from: bare, registry: .builtin)
    #expect(imported.network == mosr.network)
  }
}
