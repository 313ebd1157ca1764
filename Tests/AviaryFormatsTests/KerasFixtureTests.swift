import AviaryCheckpoint
import AviaryFormats
import AviaryTestSupport
import AviaryTensor
import FoundationEssentials
import Testing

/// Every way in which Keras saves weights, against the layers' own values in PyTorch's names and
/// layout.
@Suite struct KerasFixtureTests {
  /// What `export.py` says is in a file.
  struct Expected: Decodable {
    struct Numbers: Decodable {
      var shape: [Int]
      var values: [Float]
    }
    var tensors: [String: Numbers]
    var format: FileFormat
    var version: String?
    var backend: String?
    var ignored: [String]?
    var notes: [String]?
  }

  static let files = [
    "bfloat16.weights.h5", "chunked.h5", "deflated.keras", "dependencies.weights.h5", "one-tf.h5",
    "one-th.h5",
    "shards.weights.json", "stored.keras", "three.h5", "three.weights.h5", "two-model.h5",
    "two.h5", "windows.weights.h5",
  ]

  static func path(_ file: String) -> String { Fixture.path("keras/layers/" + file) }

  static func expected() throws -> [String: Expected] {
    try JSONDecoder().decode(
      [String: Expected].self, from: Data(contentsOf: URL(filePath: path("expected.json"))))
  }

  @Test func everyFixtureIsTested() throws {
    #expect(try Self.expected().keys.sorted() == Self.files)
  }

  @Test(arguments: files) func tensorsAreThoseOfKeras(file: String) throws {
    let expected = try #require(try Self.expected()[file])
    let read = try WeightsFile.read(Self.path(file))
    #expect(read.format == expected.format)
    #expect(read.tensors.names.sorted() == expected.tensors.keys.sorted())
    for (name, tensor) in try read.tensors.loaded() {
      let numbers = try #require(expected.tensors[name])
      #expect(tensor.shape == numbers.shape, "\(name)")
      #expect(read.tensors[name]?.shape == numbers.shape, "\(name)")
      #expect(tensor.floats == numbers.values, "\(name)")
    }
    #expect(read.origin.framework == .keras)
    #expect(read.origin.version == expected.version ?? "3")
    #expect(read.origin.backend == expected.backend)
    #expect(read.unwrapping.ignored == expected.ignored ?? [])
    if let notes = expected.notes { #expect(read.unwrapping.notes == notes) }
    // Every tensor is one of a layer.
    for name in read.tensors.names {
      #expect(read.layers.contains { name.hasPrefix($0.name + ".") }, "\(name)")
    }
  }

  @Test(arguments: ["deflated.keras", "stored.keras", "three.h5", "two-model.h5"])
  func classesComeFromTheConfiguration(file: String) throws {
    let read = try WeightsFile.read(Self.path(file))
    let kinds = read.layers.map(\.kind)
    #expect(
      kinds == [
        .convolution, .prelu, .depthwiseConvolution, .separableConvolution, .batchNormalization,
        .batchNormalization, .batchNormalization, .transposedConvolution, .convolution,
        .batchNormalization, .convolution, .dense, .convolution,
      ] || file.hasSuffix(".h5"))
    #expect(read.layers.count == 13)
    #expect(kinds.filter { $0 == .convolution }.count == 4)
  }

  @Test func stepsSayWhatWasDone() throws {
    let read = try WeightsFile.read(Self.path("two.h5"))
    let head = try #require(read.tensors["head.weight"])
    #expect(head.steps == [.permuted([3, 2, 0, 1])])
    #expect(head.storedName == "/head/head/kernel:0")
    let slopes = try #require(read.tensors["p_re_lu.weight"])
    #expect(slopes.steps == [.reshaped(from: [1, 1, 3], to: [3])])
    #expect(read.tensors["head.bias"]?.steps == [])
  }

  /// A layer of the nested model is frozen: its weights come behind the others', its name does not.
  @Test func frozenLayersKeepTheirNames() throws {
    let read = try WeightsFile.read(Self.path("two.h5"))
    let inner = read.layers.filter { $0.path.first == "inner" }
    #expect(inner.map(\.name).contains("inner.first"))
    #expect(inner.allSatisfy { !$0.isOrdered })
    let outer = read.layers.filter { $0.path.count == 1 }
    #expect(outer.allSatisfy { $0.isOrdered })
  }

  @Test func theanoKernelsAreTurnedRound() throws {
    let plain = try WeightsFile.read(Self.path("one-th.h5"))
    let turned = try WeightsFile.read(
      Self.path("one-th.h5"), ReadingOptions(theanoKernels: true))
    for name in ["convolution2d_1.weight", "deconvolution2d_1.weight"] {
      let weight = try #require(try plain.tensors.tensor(name))
      let flipped = try #require(try turned.tensors.tensor(name))
      #expect(try TensorStep.reversed([2, 3]).applied(to: weight) == flipped)
    }
    let biases = try (
      plain.tensors.tensor("convolution2d_1.bias"), turned.tensors.tensor("convolution2d_1.bias")
    )
    #expect(biases.0 == biases.1)
    #expect(
      turned.unwrapping.notes.last == "kernels turned round, as stated: trained with Theano")
  }

  @Test func bfloat16IsKnownByItsMark() throws {
    let read = try WeightsFile.read(Self.path("bfloat16.weights.h5"))
    #expect(read.tensors["conv2d.weight"]?.elementType == .bfloat16)
    #expect(try read.tensors.tensor("conv2d.bias")?.elementType == .bfloat16)
  }

  @Test func anUnpackedArchiveIsReadLikeTheArchive() throws {
    let packed = try WeightsFile.read(Self.path("stored.keras"))
    let folder = try TemporaryFolder()
    // Without Foundation there is no unpacking here: the legacy twin of the weights stands in.
    _ = try folder.file("model.weights.h5", try bytes(Self.path("three.weights.h5")))
    _ = try folder.file("metadata.json", Array(#"{"keras_version": "3.15.1"}"#.utf8))
    _ = try folder.file("config.json", Array(#"{"class_name": "Own", "config": {}}"#.utf8))
    let read = try WeightsFile.read(folder.path)
    #expect(read.format == .kerasArchive)
    #expect(read.origin.version == "3.15.1")
    #expect(read.tensors.elementCount == packed.tensors.elementCount)
  }
}
