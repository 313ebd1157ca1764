import AviaryFormats
@testable import AviaryCheckpoint
@testable import AviaryContainers
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// The scales of whole numbers in a checkpoint.
@Suite struct QuantizedLayerTests {
  private static let layers = [
    QuantizedLayer(
      node: "body.0", inputScale: 0.0125, isSigned: true, weightScales: [0.5, 0x1p-20]),
    QuantizedLayer(node: "head", inputScale: 1 / 255, isSigned: false, weightScales: [.pi, 1, 2]),
  ]

  private func checkpoint(_ layers: [QuantizedLayer]) throws -> Checkpoint {
    var checkpoint = Checkpoint(
      weights: NamedTensors([("a", try Tensor(shape: [1], [1]))]), quantization: layers)
    checkpoint.card.quantization = .init(
      data: "train", pictures: 24, patch: 192, seed: .max, layers: 2, kept: ["tail"], psnr: 33.5,
      loss: 0.03)
    return checkpoint
  }

  /// The hash of the format's page: scales are no part of it.
  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    let written = try checkpoint(Self.layers.reversed())
    try written.write(to: path)
    let read = try Checkpoint(contentsOf: path)
    #expect(read.quantization == Self.layers)
    #expect(read.card == written.card)
    #expect(try CheckpointSummary(of: path).quantization == Self.layers)
    #expect(
      read.storedHash == "sha256:d84d13ab7e5c3aefbab46a0226822b8120b5e49e3259fc84fca8e2315c88e66a")
    try checkpoint([]).write(to: path)
    #expect(try Checkpoint(contentsOf: path).quantization.isEmpty)
  }

  @Test(arguments: [0, -1, .nan, .infinity, 0x1p-120, 0x1p120] as [Float])
  func stepsThatAreNoneAreNotWritten(_ step: Float) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    for layer in [
      QuantizedLayer(node: "a", inputScale: step, isSigned: true, weightScales: [1]),
      QuantizedLayer(node: "a", inputScale: 1, isSigned: true, weightScales: [1, step]),
    ] {
      #expect(
        throws: CheckpointError.cannotWrite(
          path: path, reason: "the quantisation: a: a step that is none")
      ) { try checkpoint([layer]).write(to: path) }
    }
  }

  @Test func namesThatAreNoneAreNotWritten() throws {
    let folder = try TemporaryFolder()
    let layer = QuantizedLayer(node: "a/b", inputScale: 1, isSigned: true, weightScales: [1])
    #expect(throws: CheckpointError.invalidName("a/b")) {
      try checkpoint([layer]).write(to: folder.file("a.h5"))
    }
  }

  /// What is said of a checkpoint whose `/quantization` someone else wrote.
  private func message(
    _ body: (borrowing HDF5Writer, borrowing HDF5Writer.Object) throws -> Void
  ) throws -> String {
    let complaint = try HandmadeCheckpoint.complaint { writer, root in
      try body(writer, try writer.group("quantization", in: root))
    }
    let place = "/quantization/n: "
    #expect(complaint.hasPrefix(place), "\(complaint)")
    return String(complaint.dropFirst(place.count))
  }

  @Test func whatIsWrongIsNamed() throws {
    func message(
      _ values: Tensor, type: String? = "int8", step: Double? = 1
    ) throws -> String {
      try self.message { writer, group in
        let dataSet = try writer.tensor("n", values, in: group)
        if let type { try writer.attribute("input_type", type, of: dataSet) }
        if let step { try writer.attribute("input_step", step, of: dataSet) }
      }
    }
    let good = try Tensor(shape: [2], [1, 2])
    let kinds = "expected float32 of shape [1 to 1048576], "
    #expect(try message(Tensor(shape: [1, 2], [1, 2])) == kinds + "found float32 of shape [1, 2]")
    #expect(try message(Tensor(shape: [0], [])) == kinds + "found float32 of shape [0]")
    #expect(
      try message(Tensor(zeros: [2], elementType: .int64)) == kinds + "found int64 of shape [2]")
    let types = "expected an attribute input_type of int8 or uint8, "
    #expect(try message(good, type: nil) == types + "found none")
    #expect(try message(good, type: "int4") == types + "found int4")
    let step = "expected an attribute input_step above 0, found none"
    for value in [nil, 0, -1, .nan, .infinity, 1e-60, 1e60] as [Double?] {
      #expect(try message(good, step: value) == step)
    }
    for value in [0, -1, .nan, .infinity] as [Float] {
      #expect(
        try message(Tensor(shape: [2], [1, value]))
          == "expected finite numbers above 0, found others")
    }
    #expect(
      try self.message { writer, group in _ = try writer.group("n", in: group) }
        == "expected a data set, found a group")
  }

  @Test func withAnyByteChangedItIsReadOrRefused() throws {
    let folder = try TemporaryFolder()
    try checkpoint(Self.layers).write(to: folder.file("a.h5"))
    let bytes = try Array(Data(contentsOf: URL(filePath: folder.file("a.h5"))))
    for i in stride(from: 0, to: bytes.count, by: max(bytes.count / 60, 1)) {
      var damaged = bytes
      damaged[i] ^= 0xFF
      let path = try folder.file("b.h5", damaged)
      do throws(CheckpointError) {
        _ = try CheckpointFile(path)
      } catch {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
