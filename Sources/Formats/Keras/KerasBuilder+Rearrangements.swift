import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension KerasBuilder {
  /// Elements of a constant kernel beyond which a network is refused.
  static let kernelLimit = 1 << 24

  /// A kernel of zeros with ones at some places.
  func oneHot(
    _ shape: [Int], _ name: String, at places: some Sequence<Int>
  ) throws(InterchangeError) -> KerasModel.Variable {
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count <= Double(Self.kernelLimit) else {
      throw refusal(
        name, "a constant kernel of at most \(Self.kernelLimit) elements expected, \(shape) found")
    }
    var values = [Float](repeating: 0, count: shape.reduce(1, *))
    for place in places { values[place] = 1 }
    return KerasModel.Variable(
      name: "kernel", shape: shape, content: .constant(try constant(shape, values, name)))
  }

  /// The value with the graph's last dimensions last.
  mutating func ending(
    _ x: PlacedValue, dimensions: Int, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    let last = Array(x.order.indices.suffix(dimensions))
    return x.order.suffix(dimensions).elementsEqual(last)
      ? x : try arranged(x, Array(x.order.indices), name)
  }

  /// The elements of each picture in another shape.
  mutating func reshaped(
    _ x: PlacedValue, _ sizes: some Collection<Int?>, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard sizes.count(where: { $0 == nil }) <= 1 else {
      throw refusal(name, "Reshape takes one size at most that depends on the picture")
    }
    return add(
      "Reshape", "\(name).reshape", ["target_shape": .array(sizes.map { .int($0 ?? -1) })], [x],
      shape: [nil] + sizes, order: Array(0...sizes.count))
  }
}
