public import AviaryContainers
public import AviaryTensor
private import OrderedCollections

/// Tensors by name, in an order, described now and read when asked for: what a file of weights is
/// to those who convert it, so that a file larger than the memory can be.
public struct TensorSource: Sendable {
  /// The tensors in the file's order, or the model's; all names are different.
  public let descriptions: [TensorDescription]
  private let places: [String: Int]
  private let load: @Sendable (Int) throws(CheckpointError) -> Tensor

  /// Tensors of a file; of a name given twice the later tensor counts.
  ///
  /// - Parameter load: reads the elements of the tensor at a position of `descriptions`; called
  ///   from any thread, any number of times.
  public init(
    _ descriptions: [TensorDescription],
    load: @escaping @Sendable (Int) throws(CheckpointError) -> Tensor
  ) {
    let last = Dictionary(descriptions.enumerated().map { ($1.name, $0) }) { $1 }
    let kept = descriptions.indices.filter { last[descriptions[$0].name] == $0 }
    self.descriptions = kept.map { descriptions[$0] }
    places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { (descriptions[$1].name, $0) })
    if kept.count == descriptions.count {
      self.load = load
    } else {
      self.load = { (position) throws(CheckpointError) in try load(kept[position]) }
    }
  }

  /// Tensors at hand.
  public init(_ tensors: NamedTensors) {
    let descriptions = tensors.map { name, tensor in
      TensorDescription(name: name, shape: tensor.shape, elementType: tensor.elementType)
    }
    self.init(descriptions) { (position) throws(CheckpointError) in tensors[position].tensor }
  }

  /// The names, in order.
  public var names: [String] { descriptions.map(\.name) }

  /// The number of elements of all tensors together.
  public var elementCount: Int { descriptions.reduce(0) { $0 + $1.count } }

  /// For each name whose tensor is the very same storage as an earlier name's: that earlier name.
  public var aliases: [String: String] {
    Dictionary(
      descriptions.compactMap { tensor in tensor.alias.map { (tensor.name, $0) } }
    ) { $1 }
  }

  /// What is known of the tensor of a name; nil where there is none.
  public subscript(name: String) -> TensorDescription? { places[name].map { descriptions[$0] } }

  /// Reads the elements of the tensor at a position.
  ///
  /// - Throws: what is wrong with the file.
  public func tensor(at position: Int) throws(CheckpointError) -> Tensor { try load(position) }

  /// Reads the elements of a tensor; nil where there is none of this name.
  ///
  /// - Throws: what is wrong with the file.
  public func tensor(_ name: String) throws(CheckpointError) -> Tensor? {
    guard let place = places[name] else { return nil }
    return try load(place)
  }

  /// Reads all tensors. Those of one storage share their memory.
  ///
  /// - Throws: what is wrong with the file.
  public func loaded() throws(CheckpointError) -> NamedTensors {
    var tensors = NamedTensors()
    for (position, description) in descriptions.enumerated() {
      if let original = description.alias, let shared = tensors[original] {
        tensors[description.name] = shared
      } else {
        tensors[description.name] = try load(position)
      }
    }
    return tensors
  }
}

// MARK: - Others made of it

extension TensorSource {
  /// The tensors at some positions, in that order.
  public func selecting(_ positions: [Int]) -> TensorSource {
    TensorSource(positions.map { descriptions[$0] }) { [load] (position) throws(CheckpointError) in
      try load(positions[position])
    }
  }

  /// The same tensors under other names; of two that become the same name the later counts.
  public func renamed(_ name: (String) -> String) -> TensorSource {
    TensorSource(
      descriptions.map { old in
        var new = old
        new.name = name(old.name)
        new.alias = old.alias.map(name)
        return new
      }, load: load)
  }

  /// The same tensors with the steps taken that `steps` gives for each; these are noted in their
  /// descriptions.
  ///
  /// - Throws: `TensorError` for a step that a tensor's shape does not allow.
  public func changed(
    _ steps: (TensorDescription) -> [TensorStep]
  ) throws(TensorError) -> TensorSource {
    var changed = descriptions
    let taken = descriptions.map(steps)
    for (position, steps) in taken.enumerated() where !steps.isEmpty {
      for step in steps {
        changed[position].shape = try step.shape(of: changed[position].shape)
        if case .converted(_, let type) = step { changed[position].elementType = type }
      }
      changed[position].steps += steps
    }
    // Those that shared a storage do so no longer, unless neither changed.
    let kept = Set(zip(descriptions, taken).filter { $1.isEmpty }.map(\.0.name))
    for position in changed.indices {
      guard let alias = changed[position].alias else { continue }
      if !taken[position].isEmpty || !kept.contains(alias) { changed[position].alias = nil }
    }
    return TensorSource(changed) { [load, descriptions] (position) throws(CheckpointError) in
      let tensor = try load(position)
      do {
        return try taken[position].applied(to: tensor)
      } catch {
        // The shapes were checked above: only a reader that gives another tensor than it described.
        let name = descriptions[position].storedName
        throw .damaged(path: name, part: "the tensor", reason: "\(error)")
      }
    }
  }
}

extension TensorSource: RandomAccessCollection {
  /// The position of the first tensor: 0.
  public var startIndex: Int { 0 }
  /// The number of tensors.
  public var endIndex: Int { descriptions.count }
  /// A tensor's description by position.
  public subscript(position: Int) -> TensorDescription { descriptions[position] }
}

/// A tensor of a file: what it is, before any of its elements are read.
public struct TensorDescription: Hashable, Sendable {
  /// The name by which it is known here.
  public var name: String
  /// The dimensions, in PyTorch's layout wherever the reader knows the file's.
  public var shape: [Int]
  /// What the elements are.
  public var elementType: ElementType
  /// The name that it has in the file: a path of HDF5, a key of a state dict.
  public var storedName: String
  /// What was done to the file's layout; empty where nothing was.
  public var steps: [TensorStep]
  /// The earlier tensor whose very storage this one is, by its name here.
  public var alias: String?
  /// Whether it is a counter or a buffer that can be made anew, outside the content hash.
  public var isNonPersistent: Bool

  /// A tensor that is as it is in the file, unless stated.
  public init(
    name: String, shape: [Int], elementType: ElementType, storedName: String? = nil,
    steps: [TensorStep] = [], alias: String? = nil, isNonPersistent: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.storedName = storedName ?? name
    self.steps = steps
    self.alias = alias
    self.isNonPersistent = isNonPersistent
  }

  /// The number of elements. Readers give only shapes whose product does not overflow.
  public var count: Int { shape.reduce(1, *) }
  /// The bytes that the elements take.
  public var byteCount: Int { count * elementType.byteCount }
}

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
