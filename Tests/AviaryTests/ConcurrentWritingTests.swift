import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Foundation
import Synchronization
import Testing

@testable import Aviary

/// Writing while hashing: what goes wrong on either side is reported, and leaves nothing behind.
@Suite struct ConcurrentWritingTests {
  private let problem = CheckpointError.cannotRead(path: "weights", reason: "gone")

  /// A model whose weights cannot be read from the `reads`-th time on.
  private func model(failingAfter reads: Int) throws -> StoredModel {
    let model = try Models.random("srcnn", [:], seed: 3)
    let tensors = TensorSource(model.weights)
    let count = Mutex(0)
    let source = TensorSource(tensors.descriptions) { (position) throws(CheckpointError) in
      let isGone = count.withLock {
        $0 += 1
        return $0 > reads
      }
      if isGone { throw problem }
      return try tensors.tensor(at: position)
    }
    return StoredModel(model.network, weights: source, card: Card())
  }

  @Test(arguments: TargetFormat.allCases) func nothingIsLeftBehind(_ format: TargetFormat) throws {
    for reads in 0..<10 {
      let folder = try TemporaryFolder()
      let model = try model(failingAfter: reads)
      // Six parameters, each read for the file and for the hash.
      guard format != .aviary || reads < 6 else { continue }
      #expect(throws: problem) { try model.write(to: folder.file("out"), as: format) }
      #expect(try folder.names.isEmpty)
    }
  }

  @Test(arguments: TargetFormat.allCases) func theHashIsThatOfTheWeights(_ format: TargetFormat)
    throws
  {
    let folder = try TemporaryFolder()
    let model = try model(failingAfter: .max)
    let report = try model.write(to: folder.file("out"), as: format)
    #expect(report.contentHash == (try ContentHash.of(model.weights)))
  }

  @Test("what lies behind a symbolic link outlives what proved wrong") func throughALink() throws {
    let folder = try TemporaryFolder()
    var model = try model(failingAfter: .max)
    model.verifiedHash = "sha256:" + String(repeating: "0", count: 64)
    let real = try folder.file("real.safetensors", Array("precious".utf8))
    let link = folder.file("link.safetensors")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "real.safetensors")
    #expect(throws: AviaryError.self) { try model.write(to: link, as: .safetensors) }
    #expect(try bytes(real) == Array("precious".utf8))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real.safetensors")
    #expect(try folder.names == ["link.safetensors", "real.safetensors"])
  }

  @Test("where there can be no second name, a copy is kept", arguments: [true, false])
  func previous(isLinked: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("a", [1, 2])
    let previous = try PreviousFile(path, isLinked: isLinked)
    try FileManager.default.removeItem(atPath: path)
    _ = try folder.file("a", [3])
    previous.restore()
    #expect(try bytes(path) == [1, 2])
    let other = try PreviousFile(path, isLinked: isLinked)
    other.discard()
    #expect(try folder.names == ["a"])
  }

  @Test("a network of one large size is compared on a smaller image")
  func largeSize() throws {
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: 1, size: Size(1024, 1024))],
      nodes: [
        Graph.Node("double", .scale(Scale([2])), inputs: [0]),
        Graph.Node("bound", .activation(.clamp(minimum: -1e8, maximum: 1e8)), inputs: [1]),
      ], outputs: [Graph.Output("y", value: 2)])
    let network = Network(
      architecture: "", configuration: [:], graph: graph, picture: ImageSpec(channels: 1))
    let model = StoredModel(network, weights: TensorSource(NamedTensors()), card: Card())
    let folder = try TemporaryFolder()
    for (name, format) in [("a.keras", TargetFormat.keras), ("a.onnx", .onnx)] {
      let report = try model.write(to: folder.file(name), as: format)
      guard case .outputs(let height, let width, let largest, _) = report.check else {
        Issue.record("expected outputs, found \(report.check)")
        continue
      }
      #expect(height < 64 && width < 64 && largest == 0)
    }
  }

  @Test func aWrongHashIsFound() throws {
    let folder = try TemporaryFolder()
    var model = try model(failingAfter: .max)
    // As if it had been confirmed, and the file had changed since.
    let wrong = "sha256:" + String(repeating: "0", count: 64)
    model.verifiedHash = wrong
    let path = folder.file("out.safetensors")
    let found = try ContentHash.of(model.weights)
    #expect(throws: AviaryError.hash(path: path, stored: wrong, found: found)) {
      try model.write(to: path, as: .safetensors)
    }
    model.weights = model.weights.renamed { $0 }
    #expect(model.verifiedHash == nil)
  }

  @Test func theCardWaitsForTheFilesHash() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out.pt")
    var model = try model(failingAfter: .max)
    _ = try model.write(to: path, as: .pytorch)
    model.addSource(Card.Provenance(file: "out.pt", format: "PyTorch zip"), hashing: path)
    #expect(model.foreseenCard.provenance.last?.sha256 == String(repeating: "0", count: 64))
    #expect(model.card.provenance.last?.sha256 == (try WeightsFile.sha256(path)))
  }
}
