public import AviaryTensor

/// One step on the way of a tensor from the layout of one framework to that of another: plain data,
/// so that a report can say it, a record can keep it, and what it did can be undone.
public enum TensorStep: Hashable, Sendable {
  /// Dimensions in another order: dimension i of the result is dimension `order[i]` of the source.
  case permuted([Int])
  /// The elements of some dimensions in reverse order (Theano's kernels: 2 and 3 of OIHW).
  case reversed([Int])
  /// The same elements, in the same order, in another shape.
  case reshaped(from: [Int], to: [Int])
  /// The elements of one dimension picked in another order: element i of the result is element
  /// `indices[i]` of the source (pixel shuffle by another order, rows of a layer behind a
  /// flattening).
  case reordered(dimension: Int, indices: [Int])
  /// Zeros around the last two dimensions, (top, left, bottom, right): a kernel that reaches
  /// further and computes the same.
  case padded([Int])
  /// Edges of the last two dimensions cut, (top, left, bottom, right): what undoes a padding.
  case cropped([Int])
  /// Another element type.
  case converted(from: ElementType, to: ElementType)
}

extension TensorStep {
  /// The shape that the step makes of a shape.
  ///
  /// - Throws: `TensorError.step` for a shape that it cannot work on.
  public func shape(of shape: [Int]) throws(TensorError) -> [Int] {
    let rank = shape.count
    switch self {
    case .permuted(let order):
      guard order.sorted() == Array(0..<rank) else { throw .step("\(self)", shape: shape) }
      return order.map { shape[$0] }
    case .reversed(let dimensions):
      guard dimensions.allSatisfy((0..<rank).contains) else {
        throw .step("\(self)", shape: shape)
      }
      return shape
    case .reshaped(let from, let to):
      guard from == shape, try Tensor.count(of: to) == Tensor.count(of: from) else {
        throw .step("\(self)", shape: shape)
      }
      return to
    case .reordered(let dimension, let indices):
      guard (0..<rank).contains(dimension), indices.count == shape[dimension],
        indices.sorted() == Array(0..<indices.count)
      else { throw .step("\(self)", shape: shape) }
      return shape
    case .padded(let edges):
      guard rank >= 2, edges.count == 4, edges.allSatisfy((0...4096).contains) else {
        throw .step("\(self)", shape: shape)
      }
      return shape.dropLast(2) + [
        shape[rank - 2] + edges[0] + edges[2], shape[rank - 1] + edges[1] + edges[3],
      ]
    case .cropped(let edges):
      guard rank >= 2, edges.count == 4, edges.allSatisfy((0...4096).contains),
        shape[rank - 2] >= edges[0] + edges[2], shape[rank - 1] >= edges[1] + edges[3]
      else { throw .step("\(self)", shape: shape) }
      return shape.dropLast(2) + [
        shape[rank - 2] - edges[0] - edges[2], shape[rank - 1] - edges[1] - edges[3],
      ]
    case .converted: return shape
    }
  }

  /// What the step makes of a tensor.
  ///
  /// - Throws: `TensorError.step` for a shape that it cannot work on.
  public func applied(to tensor: Tensor) throws(TensorError) -> Tensor {
    let shape = tensor.shape
    let target = try self.shape(of: shape)
    switch self {
    case .permuted(let order): return try tensor.permuted(order)
    case .reversed(let dimensions):
      var result = tensor
      for dimension in dimensions {
        result = try result.reordered(dimension, Array((0..<shape[dimension]).reversed()))
      }
      return result
    case .reshaped: return try tensor.reshaped(to: target)
    case .reordered(let dimension, let indices): return try tensor.reordered(dimension, indices)
    case .padded(let edges): return try tensor.padded(edges)
    case .cropped(let edges): return try tensor.cropped(edges)
    case .converted(_, let type): return tensor.converted(to: type)
    }
  }
}

extension TensorStep: CustomStringConvertible {
  /// In words, for reports: "transposed to (3, 2, 0, 1)".
  public var description: String {
    func list(_ numbers: [Int]) -> String {
      "(" + numbers.map(String.init).joined(separator: ", ") + ")"
    }
    return switch self {
    case .permuted(let order): "transposed by \(list(order))"
    case .reversed(let dimensions): "reversed along \(list(dimensions))"
    case .reshaped(let from, let to): "reshaped from \(from) to \(to)"
    case .reordered(let dimension, let indices):
      "\(indices.count) elements of dimension \(dimension) permuted"
    case .padded(let edges): "padded with zeros by \(list(edges))"
    case .cropped(let edges): "cropped by \(list(edges))"
    case .converted(let from, let to): "\(from) to \(to)"
    }
  }
}

extension [TensorStep] {
  /// What the steps, one after the other, make of a tensor.
  ///
  /// - Throws: `TensorError.step` for a shape that one of them cannot work on.
  public func applied(to tensor: Tensor) throws(TensorError) -> Tensor {
    var result = tensor
    for step in self { result = try step.applied(to: result) }
    return result
  }
}

extension TensorStep {
  /// The step that undoes this one. What a padding added is cut again; what a cropping cut, or a
  /// conversion rounded, is gone.
  package var inverse: TensorStep {
    switch self {
    case .permuted(let order):
      var inverse = order
      for (position, dimension) in order.enumerated() where inverse.indices.contains(dimension) {
        inverse[dimension] = position
      }
      return .permuted(inverse)
    case .reversed: return self
    case .reshaped(let from, let to): return .reshaped(from: to, to: from)
    case .reordered(let dimension, let indices):
      var inverse = indices
      for (position, index) in indices.enumerated() where inverse.indices.contains(index) {
        inverse[index] = position
      }
      return .reordered(dimension: dimension, indices: inverse)
    case .padded(let edges): return .cropped(edges)
    case .cropped(let edges): return .padded(edges)
    case .converted(let from, let to): return .converted(from: to, to: from)
    }
  }
}

extension [TensorStep] {
  /// The steps that undo these, the last first.
  package var inverse: [TensorStep] { reversed().map(\.inverse) }
}
