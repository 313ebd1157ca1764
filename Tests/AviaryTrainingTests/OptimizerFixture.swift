import AviaryTensor
import AviaryTestSupport
import FoundationEssentials

/// What PyTorch's optimisers, schedules and layers give, from Tests/Fixtures/optimizers/export.py.
struct OptimizerFixture: Decodable {
  struct Run: Decodable {
    var rate: Double
    /// The weights after some of the steps.
    var weights: [String: [String: [Float]]]
    /// The slots after the last.
    var state: [String: [Float]]
  }
  struct Clipped: Decodable {
    var norm: Double
    var gradients: [String: [Float]]
  }

  var initial: [String: [Float]]
  /// Of each step.
  var gradients: [[String: [Float]]]
  var optimizers: [String: Run]
  var schedules: [String: [Double]]
  /// By the limit.
  var clipped: [String: Clipped]
  var fans: [String: Double]

  static let parameters = [(name: "a.weight", shape: [3, 7]), (name: "b.bias", shape: [5])]

  static func read() throws -> OptimizerFixture { try decoded("torch.json") }

  static func decoded<Content: Decodable>(_ file: String) throws -> Content {
    let path = SharedFolder.repository.appending(path: "Tests/Fixtures/optimizers/" + file)
    return try JSONDecoder().decode(Content.self, from: Data(contentsOf: path))
  }

  /// Numbers as the tensors of the parameters.
  static func tensors(_ numbers: [String: [Float]]) throws -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, shape) in parameters {
      result[name] = try Tensor(shape: shape, numbers[name] ?? [])
    }
    return result
  }
}
