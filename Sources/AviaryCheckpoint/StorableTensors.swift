import AviaryTensor

extension TensorSource {
  /// The same tensors in element types that the native format holds: float64 becomes the nearest
  /// float32, further integers and bool become int64. The descriptions say so.
  public var storable: TensorSource {
    let converted = try? changed { tensor in
      let type = tensor.elementType
      guard !Checkpoint.elementTypes.contains(type) else { return [] }
      return [.converted(from: type, to: type.isFloatingPoint ? .float32 : .int64)]
    }
    guard let converted else {
      preconditionFailure("a change of type alone, which every shape allows")
    }
    return converted
  }
}
