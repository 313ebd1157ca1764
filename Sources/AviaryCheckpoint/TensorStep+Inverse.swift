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
