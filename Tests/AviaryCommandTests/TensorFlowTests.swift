import AviaryCheckpoint
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Foundation
import Testing

/// What TensorFlow saved, converted: the fixtures were made by it, with what it computes.
@Suite("TensorFlow's checkpoints and saved models")
struct TensorFlowTests {
  private func tensors(_ path: String) throws -> [String: Tensor] {
    let loaded = try WeightsFile.read(fixture("tensorflow/\(path)")).tensors.loaded()
    return Dictionary(uniqueKeysWithValues: loaded.map { ($0.name, $0.tensor) })
  }

  /// Runs a converted network on the input of an example, as an array.
  private func expectSame(
    _ model: String, _ example: String, in folder: borrowing TemporaryFolder
  ) throws {
    let values = try tensors(example)
    let input = try #require(values["x"]), expected = try #require(values["y"])
    let path = folder.file("x.npy")
    try NumPyArray.write(input, to: path)
    let run = try Outcome(["run", model, path, "-o", folder.file("y.npy"), "--quiet"])
    try #require(run.status == 0, "\(run.error)")
    let found = try #require(try WeightsFile.read(folder.file("y.npy")).tensors.loaded().first)
    let agreement = Agreement(found.tensor, expected: expected)
    #expect(agreement.relative <= 1e-5, "\(agreement)")
  }

  @Test("a saved model of Keras's is a network, with its weights")
  func savedModel() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("model.h5")
    let convert = try Outcome(["convert", fixture("tensorflow/saved"), model])
    try #require(convert.status == 0, "\(convert.error)")
    try expectSame(model, "example.safetensors", in: folder)
  }

  static let names = [
    "features.bias", "features.weight", "batch_normalization.bias",
    "batch_normalization.running_mean", "batch_normalization.running_var",
    "batch_normalization.weight", "enlarge.bias", "enlarge.weight",
  ]

  @Test(
    "checkpoints by objects have the saved model's weights, however they are named",
    arguments: [
      ("weights/model", ""), ("weights/model.index", ""), ("weights", ""),
      ("weights/model.data-00000-of-00001", ""), ("keras3/model", "inner."),
    ])
  func objects(_ path: String, _ inner: String) throws {
    let expected = try tensors("saved")
    #expect(
      expected.keys.sorted()
        == (Self.names + ["inner.conv2d.bias", "inner.conv2d.weight", "inner.p_re_lu.weight"])
        .sorted())
    let found = try tensors(path)
    #expect(found.count == expected.count)
    for (name, tensor) in found {
      let same = expected[name] ?? expected["inner.\(name)"]
      #expect(same?.shape == tensor.shape && same?.floats == tensor.floats, "\(name)")
    }
    #expect(found["\(inner)conv2d.weight"] != nil)
  }

  @Test("a class of the user's own has its attributes' names")
  func subclassed() throws {
    #expect(
      try tensors("subclassed").keys.sorted() == [
        "body.0.bias", "body.0.weight", "body.1.bias", "body.1.weight", "head.bias",
        "head.weight",
      ])
  }

  @Test("a checkpoint of TensorFlow 1 is matched by structure, the optimiser left aside")
  func namesAlone() throws {
    let file = try WeightsFile.read(fixture("tensorflow/tensorflow1"))
    #expect(
      file.tensors.names == [
        "1.bias", "1.weight", "2.bias", "2.weight", "3.bias", "3.weight", "table.weight",
      ])
    #expect(file.unwrapping.ignored == ["optimiser and counters (14 tensors)"])
    // In three parts; each number says where its part begins.
    let table = try #require(try tensors("tensorflow1")["table.weight"])
    #expect(table.shape == [3, 7])
    #expect(table.floats == (0..<3).flatMap { _ in [0, 0, 0, 3, 3, 5, 5] as [Float] })
  }

  @Test("what is not read is said")
  func refused() throws {
    let folder = try TemporaryFolder()
    expectFailure(
      try Outcome(["convert", fixture("tensorflow/no-keras"), folder.file("a.h5")]), 69,
      "\(fixture("tensorflow/no-keras")): a TensorFlow SavedModel that Keras did not describe (its "
        + "weights alone are read from \(fixture("tensorflow/no-keras"))/variables/variables.index; "
        + "tf2onnx makes an ONNX model of it) is not supported")
    // One bit of a tensor.
    var data = try bytes(fixture("tensorflow/weights/model.data-00000-of-00001"))
    data[data.count - 400] ^= 4
    let index = try folder.file(
      "w.index", bytes(fixture("tensorflow/weights/model.index")))
    _ = try folder.file("w.data-00000-of-00001", data)
    let outcome = try Outcome(["inspect", index, "--statistics"])
    #expect(
      outcome.status == 65 && outcome.error.contains("its checksum is wrong"), "\(outcome.error)")
  }
}
