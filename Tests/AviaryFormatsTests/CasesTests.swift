import AviaryCheckpoint
import AviaryCompute
import AviaryFormats
import AviaryGraph
import AviaryTensor
import FoundationEssentials
import AviaryTestSupport
import Testing

/// Networks as people have them, by PyTorch's two exporters to ONNX and by Keras: each computes what its
/// framework does, or is refused for its true reason.
@Suite(.enabled(if: SharedFolder.isPresent, "needs the shared folder"))
struct CasesTests {
  /// The cases that are refused, by file, with what the reason must say.
  private static let refused: [String: String] = [
    "onnx/dense": "--size WIDTHxHEIGHT",
    "onnx-dynamo/dense": "--size WIDTHxHEIGHT",
    // PyTorch's exporter writes them as another interpolation than PyTorch's.
    "onnx/bil9": "export with opset_version 11 or later",
    "onnx/bil10": "export with opset_version 11 or later",
    // No operation computes it.
    "onnx/exp": "of class Sin",
    "keras-b2/ln_axes": "axis: expected one axis",
    "keras-b2/centercrop": "of class CenterCrop",
    "keras-b2/ops_conv": "averagepool",
    "keras-b2/ops_split": "operation 'split'",
    // The call says that it is training, which makes the result random.
    "keras-b2/random": "of class RandomContrast",
  ]

  /// The sizes that files do not state.
  private static let sizes: [String: Size] = [
    "onnx/dense": Size(28, 28), "onnx-dynamo/dense": Size(28, 28),
  ]

  @Test(arguments: Case.all("onnx", ending: "onnx")) func torchScript(_ file: Case) throws {
    try check(file, "onnx")
  }

  @Test(arguments: Case.all("onnx-dynamo", ending: "onnx")) func dynamo(_ file: Case) throws {
    try check(file, "onnx-dynamo")
  }

  @Test func fixedSize() throws {
    for file in Case.all("onnx-fixed-size", ending: "onnx") {
      let imported = try ONNXNetwork.graph(WeightsFile.read(file.path))
      let isFixed = file.name == "crop_skip" || file.name.hasSuffix("_fixed")
      #expect((imported.graph.inputs[0].size != nil) == isFixed, "\(file)")
      if file.name == "crop_skip" {
        let (inputs, outputs) = try file.numbers()
        try expect(imported, inputs, outputs)
      }
    }
  }

  @Test(arguments: Case.all("keras-b2", ending: "keras")) func keras(_ file: Case) throws {
    let imported: ImportedGraph
    do {
      imported = try #require(try KerasGraph.graph(of: WeightsFile.read(file.path)))
    } catch let error as InterchangeError {
      let reason = try #require(Self.refused["keras-b2/\(file)"], "\(error)")
      #expect(error.description.contains(reason), "\(error)")
      return
    }
    #expect(Self.refused["keras-b2/\(file)"] == nil, "is not refused any more")
    if file.name.hasPrefix("bnax") || file.name.hasPrefix("bn_axis") {
      // Normalisation over rows or columns: its weights are as long as the stated size.
      #expect(imported.graph.inputs.map(\.size) == [Size(21, 27)])
      // This one's result is a picture's (bn_axis1 is the same network with numbers).
      if file.name == "bnax1" { return }
    }
    let (inputs, outputs) = try file.numbers()
    func firstChannels(_ tensor: Tensor) throws -> Tensor {
      tensor.shape.count == 4 ? try tensor.permuted([0, 3, 1, 2]) : tensor
    }
    try expect(imported, inputs.map(firstChannels), outputs.map(firstChannels))
  }

  private func check(_ file: Case, _ folder: String) throws {
    let key = "\(folder)/\(file)"
    var options = ReadingOptions()
    do {
      let imported = try ONNXNetwork.graph(WeightsFile.read(file.path))
      #expect(Self.refused[key] == nil, "is not refused any more")
      let (inputs, outputs) = try file.numbers()
      return try expect(imported, inputs, outputs)
    } catch let error as InterchangeError {
      let reason = try #require(Self.refused[key], "\(error)")
      #expect(error.description.contains(reason), "\(error)")
    }
    guard let size = Self.sizes[key] else { return }
    options.onnx.size = .only(size)
    let imported = try ONNXNetwork.graph(WeightsFile.read(file.path, options))
    #expect(imported.graph.inputs[0].size == size)
    let (inputs, outputs) = try file.numbers()
    try expect(imported, inputs, outputs)
  }
}
