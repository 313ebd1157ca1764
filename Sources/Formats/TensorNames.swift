import AviaryCheckpoint

/// What the names of a state dict say about how it was wrapped: shared by all containers.
enum TensorNames {
  /// Keys that hold averaged weights, which are the ones meant to be used.
  static let averaged = ["params_ema", "params-ema", "state_dict_ema", "model_ema"]
  /// Keys that hold weights, in order of preference.
  static let wrappers =
    averaged + [
      "params", "state_dict", "model_state_dict", "model", "net", "generator", "netG",
    ]
  /// What frameworks and wrapping modules put before every name.
  private static let prefixes = [
    "module.", "_orig_mod.", "netG.", "model.", "net.", "generator.",
  ]

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
    let prefix = commonPrefix(result.names)
    unwrapping.prefix += prefix
    return prefix.isEmpty ? result : result.renamed { String($0.dropFirst(prefix.count)) }
  }

  /// Whether a tensor is a counter that no forward pass reads.
  static func isBookkeeping(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }

  /// What comes before the first dot; nothing where there is none.
  private static func head(_ name: String) -> String {
    name.firstIndex(of: ".").map { String(name[..<$0]) } ?? ""
  }
}
