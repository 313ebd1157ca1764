import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// What the layers of several operations share.
extension KerasBuilder {
  /// Adds the layers that compute a node.
  mutating func value(of node: Graph.Node) throws(InterchangeError) -> PlacedValue {
    var inputs: [PlacedValue] = []
    for value in node.inputs { inputs.append(try operand(value)) }
    guard let operation = node.op.exchanged else {
      throw refusal(node.name, "no layer is known for \(node.op.name)")
    }
    return try operation.build(node, inputs, with: &self)
  }

  /// The value as an image, channels last.
  mutating func picture(
    _ x: PlacedValue, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    try arranged(x, .picture, name)
  }

  /// A tensor of numbers that are not learned.
  func constant(
    _ shape: [Int], _ values: [Float], _ name: String
  ) throws(InterchangeError) -> Tensor {
    do {
      return try Tensor(shape: shape, values)
    } catch {
      throw refusal(name, "\(error)")
    }
  }

  /// Elements of a constant kernel beyond which a network is refused.
  static let kernelLimit = 1 << 24

  /// A kernel of zeros with ones at some places.
  func oneHot(
    _ shape: [Int], _ name: String, at places: some Sequence<Int>
  ) throws(InterchangeError) -> KerasModel.Variable {
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count <= Double(Self.kernelLimit) else {
      throw refusal(
        name, "expected a constant kernel of at most \(Self.kernelLimit) elements, found \(shape)")
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

  /// The elements of each image in another shape.
  mutating func reshaped(
    _ x: PlacedValue, _ sizes: some Collection<Int?>, _ name: String
  ) throws(InterchangeError) -> PlacedValue {
    guard sizes.count(where: { $0 == nil }) <= 1 else {
      throw refusal(name, "Reshape takes one size at most that depends on the image")
    }
    return add(
      "Reshape", "\(name).reshape", ["target_shape": .array(sizes.map { .int($0 ?? -1) })], [x],
      shape: [nil] + sizes, order: Array(0...sizes.count))
  }

  /// The variables of a layer with a kernel, and of its bias where it has one.
  func weights(
    _ name: String, _ shape: [Int], _ steps: [TensorStep], bias: Int, _ node: Graph.Node
  ) -> [KerasModel.Variable] {
    var variables = [
      KerasModel.Variable(
        name: name, shape: shape, content: .parameter(node.parameters[0], steps))
    ]
    if node.parameters.count > 1 {
      variables.append(
        KerasModel.Variable(
          name: "bias", shape: [bias], content: .parameter(node.parameters[1], [])))
    }
    return variables
  }
}

extension PaddingAmounts {
  /// Rows, then columns, as Keras states padding and cropping.
  var keras: JSON { [[.int(top), .int(bottom)], [.int(left), .int(right)]] }

  /// Sets both edges of an axis.
  mutating func set(_ axis: Axis, before: Int, after: Int) {
    if axis == .vertical {
      (top, bottom) = (before, after)
    } else {
      (left, right) = (before, after)
    }
  }
}

/// Where Keras's padding 'same' is just what a window does by explicit edges, along one axis.
struct KerasBorder {
  /// The size of the kernel, with what dilation puts between its elements.
  var reach: Int
  var stride: Int
  var before: Int
  var after: Int

  /// Whether 'same' starts the same windows at the same pixels, for an image of every size.
  ///
  /// How many windows there are beyond the first, and what the rule pads, depends on the size's
  /// remainder by the stride only: one size of each remainder is tried.
  var isSame: Bool {
    let smallest = max(reach - before - after, 1)
    return (smallest..<smallest + stride).allSatisfy { size in
      let count = (size + stride - 1) / stride
      let total = max((count - 1) * stride + reach - size, 0)
      return (size + before + after - reach) / stride + 1 == count && total / 2 == before
    }
  }

  /// Strides beyond this are not looked into: it takes trying every number of zeros.
  private static let strideLimit = 64

  /// The fewest zeros before and behind the kernel with which 'same' computes the same: zeros in
  /// front move the kernel back, zeros behind make the rule pad more. Nil where none do.
  var kernelZeros: (front: Int, behind: Int)? {
    guard stride <= Self.strideLimit else { return nil }
    for total in 0...(2 * stride) {
      for front in 0...total {
        // Zeros reach over the edge like any other part of the kernel.
        let longer = KerasBorder(
          reach: reach + total, stride: stride, before: before + front,
          after: after + total - front)
        if longer.isSame { return (front, total - front) }
      }
    }
    return nil
  }

  /// The fewest zeros before and behind the kernel of a transposed convolution with which padding
  /// 'same' cuts `before` and `after` from the full output of the kernel as it is (formats: Keras
  /// cuts kernel - stride pixels, the odd one behind). Nil where the output is not `stride` times
  /// as large.
  static func transposedZeros(
    kernel: Int, stride: Int, before: Int, after: Int
  ) -> (front: Int, behind: Int)? {
    guard kernel - before - after == stride else { return nil }
    // Cut evenly, or one more behind.
    if before >= after { return (0, before - after) }
    return (after - before - 1, 0)
  }
}
