/// Names and shapes of a file's tensors, in PyTorch's layout, without their values: what an
/// architecture is recognised by.
public struct WeightIndex: Hashable, Sendable {
  /// The dimensions of each tensor.
  public let shapes: [String: [Int]]

  /// The elements of those few small tensors that an architecture asks for; see
  /// `Architecture.valuesRead`.
  public let values: [String: [Double]]

  /// An index of tensors.
  public init(_ shapes: [String: [Int]], values: [String: [Double]] = [:]) {
    (self.shapes, self.values) = (shapes, values)
  }

  /// An index of a graph's parameters, non-persistent buffers aside.
  public init(_ graph: Graph) {
    shapes = Dictionary(
      graph.parameters.filter { $0.role != .nonPersistent }.map { ($0.name, $0.shape) }
    ) { $1 }
    values = [:]
  }

  /// The tensors that a graph could have: what architectures are asked about, so that they may
  /// calculate with dimensions (a product of three fits into 64 bits) whatever a file holds.
  var plausible: WeightIndex {
    WeightIndex(
      shapes.filter { _, shape in
        shape.count <= GraphLimits.rank && shape.allSatisfy((1...GraphLimits.channels).contains)
      }, values: values)
  }

  /// The dimensions of a tensor; nil where there is none of this name.
  public subscript(name: String) -> [Int]? { shapes[name] }

  /// The dimensions of a tensor if it has four, as convolutions' weights do.
  public func convolution(_ layer: String) -> [Int]? {
    shapes[layer + ".weight"].flatMap { $0.count == 4 ? $0 : nil }
  }

  /// How many consecutive layers there are from `prefix.0` (or another first number) on: numbers
  /// for which any tensor's name begins with `prefix.<number>.`.
  public func count(of prefix: String, from first: Int = 0) -> Int {
    let stem = prefix + "."
    let numbers = Set(
      shapes.keys.lazy.filter { $0.hasPrefix(stem) }.compactMap {
        Int($0.dropFirst(stem.count).prefix { $0 != "." })
      })
    var next = first
    while numbers.contains(next) { next += 1 }
    return next - first
  }
}
