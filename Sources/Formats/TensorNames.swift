package import AviaryCheckpoint
import AviaryContainers
package import AviaryGraph
import AviaryTensor

/// What the names of a state dict say about how it was wrapped: shared by all containers.
enum TensorNames {
  /// Keys that hold averaged weights, which are the ones meant to be used.
  static let averaged = [
    "params_ema", "params-ema", "state_dict_ema", "model_ema", "ema", "ema_model", "ema_state_dict",
  ]
  /// Keys that hold weights, in order of preference.
  static let wrappers =
    averaged + [
      "params", "state_dict", "model_state_dict", "model", "net", "generator", "netG",
    ]
  /// What frameworks and wrapping modules put before every name.
  private static let prefixes = [
    "module.", "_orig_mod.", "_fsdp_wrapped_module.", "netG.", "model.", "net.", "generator.",
  ]
  /// What wrapping modules put between the parts of a name, and no network calls a layer of its own.
  private static let infixes = ["_orig_mod", "_fsdp_wrapped_module"]

  /// All that every one of the names begins with and that only says how the network was wrapped,
  /// such as `module.model.`; empty if there is nothing of the kind.
  static func commonPrefix(_ names: [String]) -> String {
    var prefix = ""
    while !names.isEmpty,
      let next = prefixes.first(where: { next in
        names.allSatisfy { name in
          name.hasPrefix(prefix + next) && name.utf8.count > (prefix + next).utf8.count
        }
      })
    {
      prefix += next
    }
    return prefix
  }

  /// The names that tensors have in their network: without a prefix that all have, without what
  /// wrapping modules put between their parts, and without the counters that lie beside them.
  ///
  /// - Parameter unwrapping: what was done is added to it.
  /// - Returns: nil for a tensor that is none of the network's.
  static func unwrap(_ names: [String], _ unwrapping: inout Unwrapping) -> [String?] {
    let counters = counters(names)
    for (counter, count) in Dictionary(counters.map { (last($0), 1) }, uniquingKeysWith: +)
      .sorted(by: { $0.key < $1.key })
    {
      unwrapping.ignored.append(
        count == 1 ? "\(counter) (a counter)" : "\(count) of \(counter) (counters)")
    }
    let prefix = commonPrefix(names.filter { !counters.contains($0) })
    unwrapping.prefix += prefix
    let stripped = names.map { name in
      counters.contains(name) ? nil : String(name.dropFirst(prefix.count))
    }
    let short = stripped.map { $0.map(withoutInfixes) }
    // Names that would become one stay as they are.
    guard short != stripped, Set(short).count == Set(stripped).count else { return stripped }
    for infix in infixes where stripped.contains(where: { $0?.contains(infix + ".") ?? false }) {
      unwrapping.notes.append("'\(infix).' removed from the names")
    }
    return short
  }

  /// Numbers beside the tensors that no network has: of PyTorch's AveragedModel, beside `module.`, and
  /// of the profiler thop.
  private static func counters(_ names: [String]) -> Set<String> {
    let isAveraged = names.allSatisfy { $0 == "n_averaged" || $0.hasPrefix("module.") }
    let found = names.filter { name in
      name == "n_averaged" ? isAveraged : ["total_ops", "total_params"].contains(last(name))
    }
    return found.count == names.count ? [] : Set(found)
  }

  private static func last(_ name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? ""
  }

  private static func withoutInfixes(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    return (parts.dropLast().filter { !infixes.contains($0) } + parts.suffix(1))
      .joined(separator: ".")
  }

  /// The tensors of a container that holds names alone, unwrapped as nested dictionaries are: of
  /// `params_ema.…` and `params.…` the averaged ones, without a prefix that all names have.
  ///
  /// - Parameter unwrapping: what was done is added to it.
  static func unwrap(_ tensors: TensorSource, _ unwrapping: inout Unwrapping) -> TensorSource {
    var result = tensors
    let heads = Set(tensors.names.map(head))
    // Only where each tensor lies under one of the known keys are these keys and not layers.
    if let choice = averaged.first(where: heads.contains), heads.isSubset(of: wrappers) {
      let others = wrappers.filter { heads.contains($0) && $0 != choice }
      result = tensors.selecting(tensors.indices.filter { head(tensors[$0].name) == choice })
        .renamed { String($0.dropFirst(choice.count + 1)) }
      unwrapping.path.append(choice)
      for other in others {
        let count = tensors.names.count { head($0) == other }
        unwrapping.ignored.append("\(other) (a dictionary of \(count))")
      }
      if !others.isEmpty {
        unwrapping.notes.append(
          "\(choice) (averaged weights) preferred to \(others.joined(separator: ", "))")
      }
    }
    let names = unwrap(result.names, &unwrapping)
    let renaming = Dictionary(
      zip(result.names, names).compactMap { old, new in new.map { (old, $0) } }
    ) { $1 }
    return result.selecting(result.indices.filter { names[$0] != nil })
      .renamed { renaming[$0] ?? $0 }
  }

  /// Whether a tensor is a counter that no forward pass reads.
  static func isNonPersistent(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }

  /// What comes before the first dot; nothing where there is none.
  private static func head(_ name: String) -> String {
    name.firstIndex(of: ".").map { String(name[..<$0]) } ?? ""
  }
}

extension TensorSource {
  /// The tensors that a graph has parameters for, in its order. Counters that are not there (a
  /// source of another framework has none) are made anew, as int64 zeros.
  ///
  /// - Throws: `InterchangeError.weights` for a parameter that is missing or of another shape.
  package func completed(for graph: Graph) throws(InterchangeError) -> TensorSource {
    var descriptions: [TensorDescription] = []
    var places: [Int?] = []
    let positions = Dictionary(names.enumerated().map { ($1, $0) }) { $1 }
    let known = Set(graph.parameters.map(\.name))
    for parameter in graph.parameters {
      guard let place = positions[parameter.name] else {
        guard parameter.role == .nonPersistent else {
          throw .weights(layer: parameter.name, expected: "shape \(parameter.shape)", found: "none")
        }
        places.append(nil)
        descriptions.append(
          TensorDescription(
            name: parameter.name, shape: parameter.shape, elementType: .int64, isNonPersistent: true
          ))
        continue
      }
      var description = self[place]
      guard description.shape == parameter.shape else {
        throw .weights(
          layer: parameter.name, expected: "shape \(parameter.shape)",
          found: "\(description.shape)")
      }
      // A storage that is shared with what is not written is its own here.
      if let alias = description.alias, !known.contains(alias) { description.alias = nil }
      description.isNonPersistent = parameter.role == .nonPersistent
      descriptions.append(description)
      places.append(place)
    }
    return TensorSource(descriptions) {
      [places, descriptions] (position) throws(CheckpointError) in
      if let place = places[position] { return try self.tensor(at: place) }
      let wanted = descriptions[position]
      do {
        return try Tensor(zeros: wanted.shape, elementType: wanted.elementType)
      } catch {
        throw .damaged(path: wanted.name, part: "the tensor", reason: "\(error)")
      }
    }
  }
}

/// The shapes of a graph's values as far as they are the same for images of every size: what a
/// target that must be told sizes can be told.
package struct ExportShapes: Sendable {
  /// For each value the dimensions; nil where they depend on the image's.
  package let values: [[Int?]]

  /// The side of the smaller of two images that are compared: divisible by what networks divide
  /// by, and larger than their windows.
  private static let side = 7_680  // 2^9 · 3 · 5

  /// Compares the shapes for two sizes of image.
  ///
  /// - Throws: `InterchangeError.graph` for a network that takes neither.
  package init(_ graph: Graph) throws(InterchangeError) {
    do {
      let small = try graph.shapes(for: Self.inputs(graph, batch: 2, side: Self.side))
      let large = try graph.shapes(for: Self.inputs(graph, batch: 3, side: 2 * Self.side))
      values = zip(small, large).map { small, large in
        zip(small, large).map { $0 == $1 ? $0 : nil }
      }
    } catch {
      throw .graph(error)
    }
  }

  private static func inputs(_ graph: Graph, batch: Int, side: Int) -> [[Int]] {
    graph.inputs.map { input in
      let size = input.size ?? Size(side)
      return [batch, input.channels, size.height, size.width]
    }
  }

  /// How many dimensions a value has.
  package func rank(_ value: Int) -> Int { values[value].count }

  /// The number of a value's channels, which never depends on the image.
  package func channels(_ value: Int) -> Int { values[value].count > 1 ? values[value][1] ?? 1 : 1 }
}

extension WeightIndex {
  /// The index of a file's tensors, of which none is read.
  package init(_ tensors: TensorSource) {
    self.init(Dictionary(tensors.map { ($0.name, $0.shape) }) { $1 })
  }

  /// The index of a file's tensors, with the values of the small ones among `names`.
  ///
  /// - Throws: `CheckpointError` for a tensor that cannot be read.
  package init(
    _ tensors: TensorSource, values names: Set<String>
  ) throws {
    var values: [String: [Double]] = [:]
    for (position, tensor) in tensors.enumerated()
    where names.contains(tensor.name) && (1...8192).contains(tensor.count) {
      let numbers = try tensors.tensor(at: position).converted(to: .float32).floats.map(Double.init)
      if numbers.allSatisfy(\.isFinite) { values[tensor.name] = numbers }
    }
    self.init(Dictionary(tensors.map { ($0.name, $0.shape) }) { $1 }, values: values)
  }
}
