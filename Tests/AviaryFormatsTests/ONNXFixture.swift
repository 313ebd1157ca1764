import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials

/// A small ONNX model with an input and ONNX Runtime's output, of Tests/Fixtures/onnx.
struct ONNXFixture: CustomStringConvertible, Sendable {
  /// The model's name.
  let description: String
  /// The shapes of the inputs.
  let inputs: [[Int]]
  /// The output's shape; empty for a model that is read at no size.
  let output: [Int]
  /// What the import says of a model that it does not read at any size; nil for one that it does.
  let refused: String?

  /// All cases.
  static func all() throws -> [ONNXFixture] {
    let text = try String(contentsOf: folder.appending(path: "cases.json"), encoding: .utf8)
    return try (JSON(parsing: text).array ?? []).map { json in
      ONNXFixture(
        description: json["name"]?.string ?? "", inputs: shapes(json["inputs"]),
        output: json["output"]?.array?.compactMap(\.int) ?? [], refused: json["refused"]?.string)
    }
  }

  /// The path of the model.
  var path: String { ONNXFixture.path("\(description).onnx") }

  /// The path of a file of the folder.
  static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// The input tensors, in the model's order.
  func inputTensors() throws -> [Tensor] {
    var numbers = try numbers("input")[...]
    return try inputs.map { shape in
      let count = shape.reduce(1, *)
      defer { numbers = numbers.dropFirst(count) }
      return try Tensor(shape: shape, Array(numbers.prefix(count)))
    }
  }

  /// What ONNX Runtime gives.
  func outputTensor() throws -> Tensor { try Tensor(shape: output, numbers("output")) }

  private static let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/onnx")

  private func numbers(_ kind: String) throws -> [Float] {
    let bytes = try bytes(ONNXFixture.folder.appending(path: "\(description).\(kind)").path)
    return stride(from: 0, to: bytes.count, by: 4).map { i in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[i + $1]) << UInt32(8 * $1) })
    }
  }

  private static func shapes(_ json: JSON?) -> [[Int]] {
    json?.array?.map { $0.array?.compactMap(\.int) ?? [] } ?? []
  }
}
