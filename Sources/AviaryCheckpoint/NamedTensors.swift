public import AviaryTensor
private import OrderedCollections

/// Tensors by name, in an order: what a state dict and the weights of a checkpoint are.
///
/// Looking up a name takes constant time. The order is that of the model's definition wherever the
/// file tells it.
public struct NamedTensors: Sendable {
  private var tensors: OrderedDictionary<String, Tensor> = [:]

  /// The names, in order; all different.
  public var names: [String] { tensors.keys.elements }

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
    get { tensors[name] }
    set { tensors[name] = newValue }
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
  public var endIndex: Int { tensors.count }

  /// A name and its tensor by position.
  public subscript(position: Int) -> (name: String, tensor: Tensor) {
    let element = tensors.elements[position]
    return (element.key, element.value)
  }
}
