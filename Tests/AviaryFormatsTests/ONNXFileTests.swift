import AviaryContainers
import AviaryFormats
import AviaryTestSupport
import Testing

/// ONNX files that contradict themselves, or reach for what is not theirs.
@Suite struct ONNXFileTests {
  /// A model of one constant, whose tensor `build` writes.
  private func model(_ build: (inout ProtocolBufferMessage) -> Void) -> [UInt8] {
    var tensor = ProtocolBufferMessage()
    build(&tensor)
    var graph = ProtocolBufferMessage()
    graph.add(5, tensor)
    var model = ProtocolBufferMessage()
    model.add(1, 8)
    model.add(2, "hand")
    model.add(7, graph)
    return content(model)
  }

  private func content(_ message: ProtocolBufferMessage) -> [UInt8] {
    message.pieces.flatMap { piece -> [UInt8] in
      if case .bytes(let bytes) = piece { bytes } else { [] }
    }
  }

  private func problem(_ content: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let path = try folder.file("x.onnx", content)
    let error = #expect(throws: CheckpointError.self) { try WeightsFile.read(path) }
    return (error?.description ?? "").replacing(folder.path, with: "")
  }

  private func external(_ location: String, offset: String = "0") -> [UInt8] {
    model { tensor in
      tensor.add(1, 2)
      tensor.add(2, 1)
      tensor.add(8, "w")
      for (key, value) in [("location", location), ("offset", offset), ("length", "8")] {
        var entry = ProtocolBufferMessage()
        entry.add(1, key)
        entry.add(2, value)
        tensor.add(13, entry)
      }
      tensor.add(14, 1)
    }
  }

  @Test(arguments: ["/etc/passwd", "../x", "a/b", "..", "", ".", "a\\b"])
  func filesElsewhereAreRefused(_ location: String) throws {
    #expect(
      try problem(external(location))
        == "/x.onnx: damaged: w, external data: expected the name of a file beside the model, "
        + "found \(String(reflecting: location))")
  }

  @Test func filesBesideMustHoldWhatIsSaid() throws {
    #expect(try problem(external("y")).hasPrefix("/y: "))
    // The model itself is beside itself, and too short for this.
    let end = external("x.onnx", offset: "10").count - 2
    #expect(
      try problem(external("x.onnx", offset: "\(end)"))
        == "/x.onnx: truncated: w: expected 8 bytes, found 2")
    #expect(
      try problem(external("x.onnx", offset: "-1"))
        == "/x.onnx: damaged: w, external data: expected 8 bytes, found 8 at -1")
  }

  @Test func elementsMustBeThere() throws {
    let short = model { tensor in
      tensor.add(1, 1 << 40)
      tensor.add(2, 1)
      tensor.add(8, "w")
      tensor.add(9, bytes: [1, 2, 3, 4])
    }
    #expect(
      try problem(short) == "/x.onnx: truncated: w: expected 4398046511104 bytes, found 4")
    let packed = model { tensor in
      tensor.add(1, 3)
      tensor.add(2, 7)
      tensor.add(8, "w")
      tensor.add(7, packed: [1, 2])
    }
    #expect(try problem(packed) == "/x.onnx: truncated: w: expected 3 bytes, found 2")
    let negative = model { tensor in
      tensor.add(1, -3)
      tensor.add(2, 1)
      tensor.add(8, "w")
    }
    #expect(try problem(negative) == "/x.onnx: damaged: w: shape [-3]")
  }

  @Test func messagesMustFit() throws {
    let start: [UInt8] = [0x08, 0x08, 0x12, 0x00]
    #expect(try problem(start) == "/x.onnx: damaged: the model: it has no graph")
    #expect(
      try problem(start + [0x3A, 0x05, 0x00])
        == "/x.onnx: truncated: the model at byte 6: expected 5 bytes, found 1")
    #expect(
      try problem(start + [0x3B]) == "/x.onnx: damaged: the model at byte 5: wire type 3")
    #expect(
      try problem(start + [UInt8](repeating: 0xFF, count: 11))
        == "/x.onnx: damaged: the model at byte 14: a number of more than 10 bytes")
    #expect(
      try problem(start + [0x00, 0x00]) == "/x.onnx: damaged: the model at byte 5: field number 0")
  }
}
