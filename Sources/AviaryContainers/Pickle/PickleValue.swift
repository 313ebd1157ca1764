/// A value that a pickle describes. Everything with parts is a reference into a `PickleHeap`.
package enum PickleValue: Hashable {
  case none
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case reference(Int)
}

/// What a reference refers to. Parts that may still grow are kept by number in the heap.
package enum PickleNode {
  case text(String)
  case bytes([UInt8])
  /// An integer beyond 64 bits; its value is of no use to weights.
  case largeInteger
  case tuple([PickleValue])
  case list(parts: Int)
  case set(parts: Int)
  /// Keys and values by turns.
  case dictionary(parts: Int)
  /// A function or class by its full name, such as `collections.OrderedDict`: a name only.
  case global(String)
  case object(PickleObject)
  /// What the pickle's writer keeps elsewhere: PyTorch's storages.
  case persistent(PickleValue)
}

/// What would have been made by calling something: the call is kept and never made.
package struct PickleObject {
  /// What would have been called, usually a global.
  package var callable: PickleValue
  /// Its arguments, usually a tuple.
  package var arguments: PickleValue
  /// What would have been put into the object's fields.
  package var state: PickleValue?
  /// What would have been set by key, keys and values by turns.
  package var entries: Int?
  /// What would have been appended.
  package var items: Int?
}
