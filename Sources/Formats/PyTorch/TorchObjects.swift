import AviaryContainers
import AviaryTensor

/// What the objects of a pickle mean to PyTorch: tensors, dictionaries, modules.
///
/// Looking never calls anything and never follows more than the one object asked about.
struct TorchObjects {
  let heap: PickleHeap
  /// The file, for messages.
  let path: String
  /// The tensors that the file lists beside the pickle, by the identifiers that the pickle has.
  var listed: [String: TorchTensor] = [:]
  /// Whether NumPy's arrays count as tensors: in a pickle outside PyTorch's containers.
  var takesArrays = false

  /// A module's own three dictionaries.
  struct Module {
    var className: String
    var parameters: [(key: String, value: PickleValue)]
    var buffers: [(key: String, value: PickleValue)]
    var children: [(key: String, value: PickleValue)]
    /// How many values were passed to find them.
    var extent: Int
  }

  /// The keys and values of a dictionary, or of an object's fields; nil for anything else.
  ///
  /// Keys are in the order of their first appearance, each with its last value, as in Python.
  func dictionary(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
    if let entries = heap.entries(value) { return keyed(entries) }
    guard let (name, object) = heap.object(value) else { return nil }
    var entries = heap.entries(of: object)
    if Self.dictionaryClasses.contains(name) {
      // OrderedDict may get its pairs as an argument: [(key, value), …]; Counter a dictionary.
      let arguments = (heap.items(object.arguments) ?? []).prefix(2)
      for argument in arguments.reversed() {
        if let given = heap.entries(argument) { entries = given + entries }
        let pairs = (heap.items(argument) ?? []).compactMap { heap.items($0) }
        entries = pairs.filter { $0.count == 2 }.flatMap { $0 } + entries
      }
      return keyed(entries)
    }
    if !entries.isEmpty { return keyed(entries) }
    guard let state = object.state else { return nil }
    // Objects with slots have a pair of dictionaries.
    if let pair = heap.items(state), pair.count == 2 {
      return keyed(pair.flatMap { heap.entries($0) ?? [] })
    }
    return heap.entries(state).map(keyed)
  }

  /// The module that a value is: an object with PyTorch's `_modules` and `_parameters`.
  func module(_ value: PickleValue) -> Module? {
    guard let (name, object) = heap.object(value), let state = object.state,
      let fields = dictionary(state)
    else { return nil }
    func field(_ name: String) -> [(key: String, value: PickleValue)]? {
      fields.first { $0.key == name }.flatMap { dictionary($0.value) }
    }
    guard let children = field("_modules"), let parameters = field("_parameters") else {
      return nil
    }
    let temporary = fields.first { $0.key == "_non_persistent_buffers_set" }.map { field in
      let (_, object) = heap.object(field.value) ?? ("", nil)
      let items =
        heap.items(field.value)
        ?? object.flatMap { heap.items($0.arguments)?.first }
        .flatMap(heap.items)
      return Set((items ?? []).compactMap(heap.text))
    }
    return Module(
      className: name, parameters: parameters,
      buffers: (field("_buffers") ?? []).filter { !(temporary?.contains($0.key) ?? false) },
      children: children,
      extent: fields.count + parameters.count + children.count + (temporary?.count ?? 0))
  }

  /// The attributes of an object of a scripted module, whose class exists in the archive alone:
  /// tensors first, as in its state dict, then the parts that it is made of.
  func scripted(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
    guard let (name, object) = heap.object(value), name.hasPrefix("__torch__."),
      let state = object.state
    else { return nil }
    return dictionary(state)
  }

  /// The class of a scripted module as its source had it: TorchScript puts `__torch__.` before, and
  /// `___torch_mangle_6.` to keep classes of one name apart.
  func scriptedClass(_ value: PickleValue) -> String? {
    heap.object(value).map { name, _ in
      name.split(separator: ".").dropFirst().filter { !$0.hasPrefix("___torch_mangle_") }
        .joined(separator: ".")
    }
  }

  /// The tensor that a value is; nil if it is none.
  ///
  /// - Throws: `CheckpointError.damaged` or `.unsupported` for a tensor that makes no sense.
  func tensor(_ value: PickleValue, name: String) throws(CheckpointError) -> TorchTensor? {
    if !listed.isEmpty, case .persistent(let identifier)? = heap[value] {
      return heap.identifier(identifier).flatMap { listed[$0] }
    }
    if takesArrays, let array = try array(value, name: name) { return array }
    guard let (callable, object) = heap.object(value),
      let arguments = heap.items(object.arguments)
    else { return nil }
    switch callable {
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
      return try view(arguments, type: nil, name: name)
    case "torch._utils._rebuild_tensor_v3":
      guard arguments.count > 6, let type = elementType(arguments[6]) else {
        throw .unsupported(path: path, what: "\(name): a tensor of a further element type")
      }
      return try view(arguments, type: type, name: name)
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
      "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer":
      // Not recursive: a parameter wraps a tensor, never another parameter.
      guard let data = arguments.first else { return nil }
      if case .persistent? = heap[data] { return try tensor(data, name: name) }
      guard let (inner, _) = heap.object(data), inner.hasPrefix("torch._utils._rebuild_tensor")
      else { return nil }
      return try tensor(data, name: name)
    case "torch._tensor._rebuild_from_type_v2":
      guard arguments.count > 2, let function = heap.global(arguments[0]),
        function.hasPrefix("torch._utils._rebuild_tensor"), let inner = heap.items(arguments[2])
      else { return nil }
      return try view(inner, type: nil, name: name)
    case "torch._utils._rebuild_qtensor":
      throw .unsupported(
        path: path,
        what: "\(name): a tensor of quantized values (save tensor.dequantize() instead)")
    case "torch._utils._rebuild_sparse_tensor":
      throw .unsupported(
        path: path, what: "\(name): a sparse tensor (save tensor.to_dense() instead)")
    case "torch._utils._rebuild_meta_tensor_no_storage":
      throw .unsupported(
        path: path, what: "\(name): a tensor without values (of the device 'meta')")
    default: return nil
    }
  }

  private func view(
    _ arguments: [PickleValue], type: ElementType?, name: String
  ) throws(CheckpointError) -> TorchTensor {
    // Outside PyTorch's containers each storage is pickled as a file of its own.
    if let (callable, _) = arguments.first.flatMap(heap.object),
      callable == "torch.storage._load_from_bytes"
    {
      throw .unsupported(path: path, what: "\(name): a tensor pickled without torch.save")
    }
    guard arguments.count >= 4, case .persistent(let identifier)? = heap[arguments[0]],
      let offset = heap.size(arguments[1]), let shape = heap.sizes(size(arguments[2])),
      let strides = heap.sizes(size(arguments[3])), shape.count == strides.count
    else {
      throw .damaged(
        path: path, part: name, reason: "expected a storage, offset, shape and strides")
    }
    // Bits that say that the numbers stand for their negatives or conjugates.
    let marks = arguments.dropFirst(type == nil ? 6 : 7).first.flatMap(dictionary) ?? []
    if let mark = marks.first(where: { if case .bool(true) = $0.value { true } else { false } }) {
      throw .unsupported(
        path: path,
        what: "\(name): a tensor saved with the bit '\(mark.key)'"
          + " (save tensor.resolve_neg().resolve_conj() instead)")
    }
    guard let storage = TorchStorage(identifier, heap) else {
      throw .unsupported(path: path, what: "\(name): a storage of a further element type")
    }
    guard let elementType = type ?? storage.elementType else {
      throw .damaged(path: path, part: name, reason: "expected an element type, found none")
    }
    let (start, overflow) = storage.offset.addingReportingOverflow(offset)
    guard !overflow else {
      throw .damaged(path: path, part: name, reason: "an offset of \(offset) elements")
    }
    return TorchTensor(
      storage: storage, elementType: elementType, offset: start, shape: shape, strides: strides)
  }

  /// A tuple, or the tuple within `torch.Size((…))`.
  private func size(_ value: PickleValue) -> PickleValue {
    guard let (name, object) = heap.object(value), name == "torch.Size" else { return value }
    return heap.items(object.arguments)?.first ?? value
  }

  private func elementType(_ value: PickleValue) -> ElementType? {
    guard let name = heap.global(value), name.hasPrefix("torch.") else { return nil }
    return ElementType(rawValue: String(name.dropFirst(6)))
  }

  private func keyed(_ entries: [PickleValue]) -> [(key: String, value: PickleValue)] {
    var places: [String: Int] = [:]
    var result: [(key: String, value: PickleValue)] = []
    for i in stride(from: 0, to: entries.count - 1, by: 2) {
      guard let key = key(entries[i]) else { continue }
      if let place = places[key] {
        result[place].value = entries[i + 1]
      } else {
        places[key] = result.count
        result.append((key, entries[i + 1]))
      }
    }
    return result
  }

  private func key(_ value: PickleValue) -> String? {
    if case .integer(let number) = value { return String(number) }
    return heap.text(value)
  }

  private static let dictionaryClasses: Set<String> = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict",
    "__builtin__.dict",
  ]
}
