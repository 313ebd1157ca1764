public import AviaryTensor

/// Tensors by name, in an order: what a state dict and the weights of a checkpoint are.
///
/// Looking up a name takes constant time. The order is that of the model's definition wherever the
/// file tells it.
public struct NamedTensors: Sendable {
  /// The names, in order; all different.
  public private(set) var names: [String] = []
  private var byName: [String: Tensor] = [:]

  /// No tensors.
  public init() {}

  /// The given tensors in their order; of a name given twice the last tensor counts.
  public init(_ tensors: some Sequence<(String, Tensor)>) {
    for (name, tensor) in tensors { self[name] = tensor }
  }

  /// The tensor of a name.
  ///
  /// Setting appends a new name at the end, replaces in place, and removes when set to nil (in time
  /// proportional to the number of names).
  public subscript(name: String) -> Tensor? {
    get { byName[name] }
    set {
      let old = byName.updateValue(newValue, forKey: name)
      if old == nil, newValue != nil { names.append(name) }
      if old != nil, newValue == nil { names.removeAll { $0 == name } }
    }
  }

  /// The same tensors with every name replaced by `name(old)`; of two that become the same name
  /// the later tensor counts.
  public func renamed(_ name: (String) -> String) -> NamedTensors {
    NamedTensors(map { (name($0.name), $0.tensor) })
  }

  /// The number of elements of all tensors together.
  public var elementCount: Int { reduce(0) { $0 + $1.tensor.count } }
}

extension NamedTensors: RandomAccessCollection {
  /// The position of the first name: 0.
  public var startIndex: Int { 0 }
  /// The number of names.
  public var endIndex: Int { names.count }

  /// A name and its tensor by position.
  public subscript(position: Int) -> (name: String, tensor: Tensor) {
    let name = names[position]
    guard let tensor = byName[name] else { preconditionFailure("\(name) has no tensor") }
    return (name, tensor)
  }
}

extension Dictionary {
  /// Sets or removes, and gives what was there before.
  fileprivate mutating func updateValue(_ value: Value?, forKey key: Key) -> Value? {
    if let value { return updateValue(value, forKey: key) }
    return removeValue(forKey: key)
  }
}
