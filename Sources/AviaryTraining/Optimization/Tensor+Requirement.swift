import AviaryTensor

extension Tensor {
  /// Throws unless the tensor is float32 and has the given shape.
  ///
  /// - Parameters:
  ///   - shape: nil if no tensor is expected.
  ///   - thing: what the tensor is, for the message.
  func require(shape expected: [Int]?, _ thing: String) throws(TrainingError) {
    guard let expected else {
      throw .training(thing, expected: "none", found: "shape \(shape)")
    }
    guard shape == expected else {
      throw .training(thing, expected: "shape \(expected)", found: "shape \(shape)")
    }
    guard elementType == .float32 else {
      throw .training(thing, expected: "float32", found: elementType.rawValue)
    }
  }
}
