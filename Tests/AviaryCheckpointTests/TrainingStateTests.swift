@testable import AviaryCheckpoint
@testable import AviaryContainers
@testable import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// What a training leaves in a checkpoint, to go on later.
@Suite("training states")
struct TrainingStateTests {
  private static let progress = TrainingProgress(
    step: 200, recipe: "architecture: plain-cae\nseed: 18446744073709551615\n", seed: .max,
    dataFingerprint: "sha256:00ff", program: "aviary 0.0-test", threads: 2,
    algorithms: [.init(layer: "encoder.0 forward", implementation: "jit:avx2")],
    best: .init(figure: 0.1 + 0.2, step: 150), seconds: 45.125, samples: 3_200)

  private func tensors(_ values: [String: [Float]]) throws -> TensorSource {
    TensorSource(
      NamedTensors(
        try values.sorted { $0.key > $1.key }.map { ($0, try Tensor(shape: [$1.count], $1)) }))
  }

  private func optimizer(_ parameter: String, _ value: Float) throws -> OptimizerState {
    OptimizerState(
      algorithm: "sgd", step: 200,
      groups: [.init(hyperparameters: ["lr": 1e-3], parameters: [parameter])],
      tensors: try tensors(["\(parameter).momentum_buffer": [value, -value]]))
  }

  /// A checkpoint with everything in it.
  private func whole() throws -> CheckpointFile {
    CheckpointFile(
      tensors: try tensors(["b": [1, 2], "a": [.pi]]),
      training: TrainingState(
        progress: Self.progress,
        weights: try tensors(["b": [1.5, .leastNonzeroMagnitude], "a": [-0.0]]),
        optimizer: try optimizer("b", 0.1),
        adversary: .init(
          weights: try tensors(["d.weight": [7, 8, 9]]), optimizer: try optimizer("d.weight", 3))))
  }

  private func same(_ a: TensorSource?, _ b: TensorSource?) throws -> Bool {
    let (a, b) = (try #require(a), try #require(b))
    return try a.names == b.names
      && zip(a.loaded(), b.loaded()).allSatisfy { $0.tensor == $1.tensor }
  }

  @Test("what is written is read, bit by bit")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let (path, written) = (folder.file("a.h5"), try whole())
    let hash = try written.write(to: path)
    #expect(try hash == ContentHash.of(written.tensors))
    let read = try CheckpointFile(path)
    try read.verify(path)
    let (a, b) = (try #require(written.training), try #require(read.training))
    #expect(b.progress == Self.progress)
    #expect(try same(a.weights, b.weights))
    #expect(try same(a.optimizer?.tensors, b.optimizer?.tensors))
    #expect(a.optimizer?.groups == b.optimizer?.groups)
    #expect(b.optimizer?.algorithm == "sgd")
    #expect(b.optimizer?.step == 200)
    #expect(try same(a.adversary?.weights, b.adversary?.weights))
    #expect(try same(a.adversary?.optimizer?.tensors, b.adversary?.optimizer?.tensors))
    #expect(b.adversary?.optimizer?.groups == a.adversary?.optimizer?.groups)
    // Whoever runs the network sees its own weights alone.
    #expect(try Checkpoint(contentsOf: path).weights.names == ["b", "a"])
    // The same content is the same bytes.
    try read.write(to: folder.file("b.h5"))
    #expect(try WeightsFile.sha256(folder.file("b.h5")) == WeightsFile.sha256(path))
  }

  @Test("parts that are not there are absent when read")
  func parts() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    var file = try whole()
    file.training = TrainingState(progress: Self.progress)
    try file.write(to: path)
    let read = try #require(try CheckpointFile(path).training)
    #expect(read.progress == Self.progress)
    #expect(read.weights == nil && read.optimizer == nil && read.adversary == nil)
    file.training = TrainingState()
    try file.write(to: path)
    #expect(try CheckpointFile(path).training == nil)
  }

  @Test("a figure that JSON does not have is refused, and the old file survives")
  func notFinite() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    try whole().write(to: path)
    let before = try WeightsFile.sha256(path)
    var file = try whole()
    file.training?.progress?.best?.figure = .nan
    let error = try #require(throws: CheckpointError.self) { try file.write(to: path) }
    #expect(
      error.description
        == "\(path): cannot be written: the training: a figure that is no finite number")
    file = try whole()
    file.training?.weights = try tensors(["a/b": [1]])
    #expect(throws: CheckpointError.invalidName("a/b")) { try file.write(to: path) }
    #expect(try WeightsFile.sha256(path) == before)
  }

  @Test(
    "weights in training that are not the checkpoint's own are refused",
    arguments: [
      (["b": [1, 2]], "/training/weights/a: expected a data set, found none"),
      (["b": [1, 2], "a": [1, 2]], "/training/weights/a: expected shape [1], found [2]"),
      (
        ["b": [1, 2], "a": [1], "c": [1]], "/training/weights/c: expected none, found a data set"
      ),
    ] as [([String: [Float]], String)])
  func otherWeights(weights: [String: [Float]], message: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    var file = try whole()
    file.training?.weights = try tensors(weights)
    try file.write(to: path)
    let error = try #require(throws: CheckpointError.self) { try CheckpointFile(path) }
    #expect(error.description == "\(path): damaged: \(message)")
  }

  @Test("numbers that no training gets to are refused")
  func progress() throws {
    let folder = try TemporaryFolder()
    func message(_ change: (inout TrainingProgress) -> Void) throws -> String {
      var file = try whole()
      var progress = Self.progress
      change(&progress)
      file.training?.progress = progress
      let path = folder.file("a.h5")
      try file.write(to: path)
      let error = try #require(throws: CheckpointError.self) { try CheckpointFile(path) }
      let place = "\(path): damaged: /training/progress: "
      #expect(error.description.hasPrefix(place))
      return String(error.description.dropFirst(place.count))
    }
    #expect(
      try message { $0.step = 100 } == "best: expected a step from 0 to 100, found 150")
    #expect(
      try message { $0.step = -1 }
        == "step: expected a number from 0 to 9007199254740992, found -1")
    #expect(
      try message { $0.step = .max }
        == "step: expected a number from 0 to 9007199254740992, found \(Int.max)")
    #expect(
      try message { $0.seconds = -1 }
        == "seconds: expected a number from 0 to 9007199254740992, found -1.0")
    #expect(
      try message { $0.seconds = 1e300 }
        == "seconds: expected a number from 0 to 9007199254740992, found 1e+300")
    #expect(
      try message { $0.threads = 0 }
        == "threads: expected a number from 1 to 9007199254740992, found 0")
    #expect(
      try message { $0.samples = .min }
        == "samples: expected a number from 0 to 9007199254740992, found \(Int.min)")
  }

  @Test("groups in the place of data sets, and the other way round, are named")
  func kinds() throws {
    let text = try HandmadeCheckpoint.complaint { writer, root in
      try writer.text("training", "x", in: root)
    }
    #expect(text == "/training: expected a group, found a data set")
    func member(
      _ body: (borrowing HDF5Writer, borrowing HDF5Writer.Object) throws -> Void
    ) throws -> String {
      try HandmadeCheckpoint.complaint { writer, root in
        try body(writer, try writer.group("training", in: root))
      }
    }
    #expect(
      try member { writer, group in _ = try writer.group("progress", in: group) }
        == "/training/progress: expected a data set, found a group")
    for json in ["", "{", "[]", #"{"step":1}"#, String(repeating: "[", count: 100_000)] {
      #expect(
        try member { writer, group in try writer.text("progress", json, in: group) }
          == "/training/progress: expected JSON of a training's progress")
    }
    for name in ["weights", "optimizer", "adversary"] {
      #expect(
        try member { writer, group in try writer.text(name, "x", in: group) }
          == "/training/\(name): expected a group, found a data set")
    }
    #expect(
      try member { writer, group in _ = try writer.group("adversary", in: group) }
        == "/training/adversary/weights: expected a group, found none")
    #expect(
      try member { writer, group in
        let adversary = try writer.group("adversary", in: group)
        _ = try writer.group("weights", in: adversary)
        _ = try writer.group("optimizer", in: adversary)
        try writer.text("groups", "{}", in: adversary)
      } == "/training/adversary/groups: expected JSON of groups of parameters")
    #expect(
      try member { writer, group in
        let weights = try writer.group("weights", in: group)
        _ = try writer.group("a", in: weights)
      } == "/training/weights/a: expected a data set, found a group")
  }

  @Test("with any byte changed it is read or refused in one line")
  func damage() throws {
    let folder = try TemporaryFolder()
    try whole().write(to: folder.file("a.h5"))
    let bytes = try Array(Data(contentsOf: URL(filePath: folder.file("a.h5"))))
    for i in stride(from: 0, to: bytes.count, by: max(bytes.count / 60, 1)) {
      var damaged = bytes
      damaged[i] ^= 0xFF
      let path = try folder.file("b.h5", damaged)
      do throws(CheckpointError) {
        let training = try CheckpointFile(path).training
        for source in [
          training?.weights, training?.optimizer?.tensors, training?.adversary?.weights,
        ] {
          _ = try source?.loaded()
        }
      } catch {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
