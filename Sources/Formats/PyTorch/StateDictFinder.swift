import AviaryCheckpoint
import AviaryContainers
import AviaryTensor

/// Finds the dictionary of tensors in whatever a PyTorch file holds: itself, inside a training
/// checkpoint, or as a whole pickled module.
struct StateDictFinder {
  private let objects: TorchObjects
  private var unwrapping = Unwrapping()
  /// The tensors found, in order.
  private var found: [(name: String, tensor: TorchTensor)] = []
  /// States of optimisers beside them, with their names and what they are in words.
  private var optimizers: [(name: String, label: String, state: PickleValue)] = []
  /// The keys that the user states, of which those that were met are gone.
  private var part: [String]
  /// The dictionaries of tensors that were met, for a message.
  private var parts: [String] = []
  /// Whether a value holds tensors, for those that were looked into.
  private var holders: [PickleValue: Bool] = [:]
  /// How many values may still be looked at. Shared references let a small pickle describe a tree
  /// of any size.
  private var budget = 2_000_000

  /// How deep wrappers and modules may nest.
  private static let depthLimit = 64

  /// Finds and names the tensors; none is read yet.
  ///
  /// - Parameter part: the key of the dictionary that is meant, or several joined by dots; nil for the
  ///   customary choice.
  static func find(
    _ root: PickleValue, _ objects: TorchObjects, _ storages: consuming TorchStorages,
    part: String? = nil
  ) throws(CheckpointError) -> (
    tensors: TensorSource, unwrapping: Unwrapping, optimizer: OptimizerState?
  ) {
    var finder = StateDictFinder(
      objects: objects, part: part?.split(separator: ".").map(String.init) ?? [])
    try finder.unwrap(root)
    try finder.chooseNetwork()
    guard finder.part.isEmpty else {
      throw .noPart(path: objects.path, name: part ?? "", known: finder.parts)
    }
    let stored = finder.stripPrefixes()
    let found = finder.found
    try storages.check(found)
    var first: [TorchTensor: String] = [:]
    var descriptions: [TensorDescription] = []
    for (place, (name, view)) in found.enumerated() {
      var description = TensorDescription(
        name: name, shape: view.shape, elementType: view.elementType, storedName: stored[place],
        isNonPersistent: TensorNames.isNonPersistent(name))
      // Tensors without elements share nothing.
      if view.count != 0 {
        description.alias = first[view]
        first[view] = first[view] ?? name
      }
      descriptions.append(description)
    }
    let optimizer = finder.optimizer(of: descriptions, storages)
    let tensors = TorchTensors(found + (optimizer?.views ?? []), storages)
    let source = TensorSource(descriptions) { (position) throws(CheckpointError) in
      try tensors.tensor(position)
    }
    return (source, finder.unwrapping, optimizer?.state(tensors, from: found.count))
  }

  /// The first state of an optimiser that is one of these tensors; others are noted as left aside,
  /// with the reason.
  private mutating func optimizer(
    of tensors: [TensorDescription], _ storages: borrowing TorchStorages
  ) -> TorchOptimizer? {
    let parameters = OptimizerState.learned(tensors)
    var result: TorchOptimizer?
    for (name, label, state) in optimizers {
      guard result == nil else {
        unwrapping.ignored.append("\(name) (\(label))")
        continue
      }
      do {
        let found = try TorchOptimizer(state, of: parameters, objects)
        try storages.check(found.views)
        result = found
      } catch let problem as TorchOptimizer.Problem {
        unwrapping.ignored.append("\(name) (\(label)): \(problem.text)")
      } catch {
        unwrapping.ignored.append("\(name) (\(label)): \(error)")
      }
    }
    return result
  }

  private init(objects: TorchObjects, part: [String]) {
    (self.objects, self.part) = (objects, part)
  }
}

// MARK: - Unwrapping

extension StateDictFinder {
  private mutating func unwrap(_ root: PickleValue) throws(CheckpointError) {
    var value = root
    for _ in 0..<Self.depthLimit {
      if let module = objects.module(value) {
        unwrapping.moduleClass = module.className
        try collect(module, prefix: "", depth: 0)
        if found.isEmpty { throw nothing(root) }
        return
      }
      if let fields = objects.scripted(value) {
        unwrapping.moduleClass = objects.scriptedClass(value)
        try collect(scripted: fields, prefix: "", depth: 0)
        if found.isEmpty { throw nothing(root) }
        return
      }
      try spend(objects.heap.extent(value))
      guard let entries = children(value) else { throw nothing(root) }
      if let next = try wrapped(entries) {
        unwrapping.path.append(next.key)
        value = next.value
        continue
      }
      for (key, value) in entries {
        if let tensor = try objects.tensor(value, name: key) {
          found.append((key, tensor))
        } else {
          note(key, value)
        }
      }
      if found.isEmpty { throw nothing(root) }
      return
    }
    throw nothing(root)
  }

  /// The entry that holds the tensors, if `entries` is a wrapper; its siblings are noted.
  private mutating func wrapped(
    _ entries: [(key: String, value: PickleValue)]
  ) throws(CheckpointError) -> (key: String, value: PickleValue)? {
    var candidates: [(key: String, value: PickleValue)] = []
    var holdsDirectly = false
    for entry in entries {
      if try objects.tensor(entry.value, name: entry.key) != nil {
        holdsDirectly = true
      } else if try holdsTensors(entry.value, depth: 0) {
        candidates.append(entry)
      }
    }
    parts += candidates.map { (unwrapping.path + [$0.key]).joined(separator: ".") }
    if let wanted = part.first, let choice = candidates.first(where: { $0.key == wanted }) {
      part.removeFirst()
      for (key, value) in entries where key != choice.key { note(key, value) }
      return choice
    }
    let known = TensorNames.wrappers.compactMap { name in candidates.first { $0.key == name } }
    // Without a known name: a state dict if tensors lie open, else the only dictionary of them.
    // What belongs to the optimiser is never the network.
    let others = candidates.filter { !$0.key.lowercased().contains("optim") }
    let choice: (key: String, value: PickleValue)?
    if let first = known.first {
      choice = first
    } else if holdsDirectly || candidates.isEmpty {
      return nil
    } else if others.count == 1 {
      choice = others[0]
    } else {
      let names = candidates.map(\.key).joined(separator: ", ")
      throw .unsupported(
        path: objects.path,
        what: "a file of several dictionaries of tensors (\(names)) without --part to choose one")
    }
    guard let choice else { return nil }
    if TensorNames.averaged.contains(choice.key), known.count > 1 {
      unwrapping.notes.append(
        "\(choice.key) (averaged weights) preferred to "
          + known.dropFirst().map(\.key).joined(separator: ", "))
    }
    for (key, value) in entries where key != choice.key { note(key, value) }
    return choice
  }

  /// The named parts of a dictionary, object or list.
  private func children(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
    if let entries = objects.dictionary(value) { return entries }
    return objects.heap.items(value)?.enumerated().map { (String($0), $1) }
  }

  private mutating func holdsTensors(
    _ value: PickleValue, depth: Int
  ) throws(CheckpointError) -> Bool {
    guard depth < Self.depthLimit, objects.heap[value] != nil else { return false }
    if let known = holders[value] { return known }
    // Each value is looked into once; one that is met again inside itself adds nothing.
    holders[value] = false
    try spend(1 + objects.heap.extent(value))
    var holds = objects.module(value) != nil
    if !holds {
      for child in children(value) ?? [] {
        holds = try objects.tensor(child.value, name: child.key) != nil
        if !holds { holds = try holdsTensors(child.value, depth: depth + 1) }
        if holds { break }
      }
    }
    holders[value] = holds
    return holds
  }

  /// A module's tensors, in the order of PyTorch's `state_dict()`.
  private mutating func collect(
    _ module: TorchObjects.Module, prefix: String, depth: Int
  ) throws(CheckpointError) {
    guard depth < Self.depthLimit else {
      throw .tooLarge(
        path: objects.path, part: "modules inside modules", limit: Self.depthLimit, found: depth + 1
      )
    }
    try spend(module.extent)
    for (key, value) in module.parameters + module.buffers {
      if let tensor = try objects.tensor(value, name: prefix + key) {
        found.append((prefix + key, tensor))
      }
    }
    for (key, value) in module.children {
      guard let child = objects.module(value) else { continue }
      try collect(child, prefix: prefix + key + ".", depth: depth + 1)
    }
  }

  /// A scripted module's tensors: its own, then those of its parts by the path of attributes.
  private mutating func collect(
    scripted fields: [(key: String, value: PickleValue)], prefix: String, depth: Int
  ) throws(CheckpointError) {
    guard depth < Self.depthLimit else {
      throw .tooLarge(
        path: objects.path, part: "modules inside modules", limit: Self.depthLimit, found: depth + 1
      )
    }
    try spend(1 + fields.count)
    for (key, value) in fields {
      if let tensor = try objects.tensor(value, name: prefix + key) {
        found.append((prefix + key, tensor))
      }
    }
    for (key, value) in fields {
      guard let parts = objects.scripted(value) else { continue }
      try collect(scripted: parts, prefix: prefix + key + ".", depth: depth + 1)
    }
  }

  private mutating func spend(_ count: Int) throws(CheckpointError) {
    budget -= count
    guard budget >= 0 else {
      throw .tooLarge(
        path: objects.path, part: "values in the pickle", limit: 2_000_000, found: 2_000_001)
    }
  }

  /// Takes from the names what only says how the network was wrapped.
  ///
  /// - Returns: the names that the remaining tensors have in the file.
  private mutating func stripPrefixes() -> [String] {
    let names = TensorNames.unwrap(found.map(\.name), &unwrapping)
    let stored = zip(found, names).compactMap { tensor, name in name.map { _ in tensor.name } }
    found = zip(found, names).compactMap { tensor, name in name.map { ($0, tensor.tensor) } }
    return stored
  }
}

// MARK: - Several networks in one dictionary

extension StateDictFinder {
  /// What training frameworks call the two networks that are trained against each other.
  private static let rivals: (generators: Set<String>, discriminators: Set<String>) = (
    ["generator", "gen", "netG", "net_g", "model_G", "G"],
    ["discriminator", "disc", "netD", "net_d", "model_D", "D"]
  )

  /// Leaves the tensors of the one network that is meant, where names of one dictionary begin with the
  /// networks' names, as Lightning saves a GAN.
  private mutating func chooseNetwork() throws(CheckpointError) {
    let heads = Set(found.map { String($0.name.prefix { $0 != "." }) }).sorted()
    let isSeveral =
      heads.contains(where: Self.rivals.generators.contains)
      && heads.contains(where: Self.rivals.discriminators.contains)
    if !part.isEmpty {
      let prefix = part.joined(separator: ".") + "."
      let (own, others) = (
        found.filter { $0.name.hasPrefix(prefix) }, found.filter { !$0.name.hasPrefix(prefix) }
      )
      guard !own.isEmpty else {
        if isSeveral { parts += heads }
        return
      }
      found = own.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
      unwrapping.path += part
      part = []
      let names = Set(others.map { String($0.name.prefix { $0 != "." }) }).sorted()
      for name in names.prefix(100) {
        let count = others.count { $0.name.prefix { $0 != "." } == name }
        unwrapping.ignored.append("\(name) (a network of \(count) tensor\(count == 1 ? "" : "s"))")
      }
      return
    }
    guard isSeveral else { return }
    throw .unsupported(
      path: objects.path,
      what:
        "a file of several networks (\(heads.prefix(8).joined(separator: ", "))) without --part to "
        + "choose one")
  }
}

// MARK: - Reporting

extension StateDictFinder {
  /// Notes an entry that is no weight: a fact, or something left aside.
  private mutating func note(_ key: String, _ value: PickleValue) {
    let name = (unwrapping.path + [key]).joined(separator: ".")
    // A long training history is no news.
    guard unwrapping.metadata.count + unwrapping.ignored.count < 100 else { return }
    switch value {
    case .none: break
    case .bool(let value): unwrapping.metadata.append(.init(name: name, value: "\(value)"))
    case .integer(let value): unwrapping.metadata.append(.init(name: name, value: "\(value)"))
    case .float(let value): unwrapping.metadata.append(.init(name: name, value: "\(value)"))
    case .reference:
      if let text = objects.heap.text(value) ?? objects.numpyScalar(value) {
        unwrapping.metadata.append(.init(name: name, value: String(text.prefix(200))))
      } else {
        let label = label(value)
        let states = TorchOptimizer.candidates(value, objects)
        if states.isEmpty { unwrapping.ignored.append("\(name) (\(label))") }
        optimizers += states.map { (name, label, $0) }
      }
    }
  }

  private func label(_ value: PickleValue) -> String {
    if (try? objects.tensor(value, name: "")) != nil { return "a tensor" }
    switch objects.heap[value] {
    case .dictionary, .object:
      if let (name, _) = objects.heap.object(value), !name.hasSuffix("Dict") {
        return "an object of \(name)"
      }
      return "a dictionary of \(objects.dictionary(value)?.count ?? 0)"
    case .list, .tuple, .set: return "a list of \(objects.heap.items(value)?.count ?? 0)"
    case .bytes(let bytes): return "\(bytes.count) bytes"
    case .global(let name): return name
    default: return "a value"
    }
  }

  private func nothing(_ root: PickleValue) -> CheckpointError {
    let names = (children(root) ?? []).prefix(8).map(\.key).joined(separator: ", ")
    return .noTensors(path: objects.path, found: names.isEmpty ? label(root) : names)
  }
}
