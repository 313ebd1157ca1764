import AviaryTensor

extension NamedTensors {
  /// The same tensors in element types that the native format holds, and what was changed for it, in
  /// words for a report: float64 becomes the nearest float32, further integers and bool become int64.
  public func storable() -> (tensors: NamedTensors, conversions: [String]) {
    var tensors = NamedTensors()
    var names: [String: [String]] = [:]
    for (name, tensor) in self {
      let type = tensor.elementType
      guard !Checkpoint.elementTypes.contains(type) else {
        tensors[name] = tensor
        continue
      }
      let target: ElementType = type.isFloatingPoint ? .float32 : .int64
      tensors[name] = tensor.converted(to: target)
      names["\(type) to \(target)", default: []].append(name)
    }
    return (
      tensors,
      names.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.joined(separator: ", "))" }
    )
  }
}
