import AviaryCheckpoint
import Aviary
import AviaryGraph

/// What `diff` found.
struct DifferenceReport {
  var comparison: WeightsComparison
  /// Whether equal tensors are listed too.
  var listsEqual: Bool

  /// The pairs to list, most different first.
  private var listed: [WeightsComparison.Pair] {
    let pairs = listsEqual ? comparison.pairs : comparison.pairs.filter { !$0.isEqual }
    return listsEqual ? pairs : pairs.sorted { $0.relative > $1.relative }
  }

  private var equalCount: Int { comparison.pairs.count { $0.isEqual } }
  private var renamed: [WeightsComparison.Pair] {
    comparison.pairs.filter { $0.name != $0.otherName }
  }

  /// Whether the files are the same, in one sentence.
  private var verdict: String {
    if comparison.isSame {
      if comparison.pairs.isEmpty { return "the same network, without weights" }
      guard comparison.isSameNetwork == true else { return "equal weights" }
      let assumed = [("A", comparison.first), ("B", comparison.second)]
        .filter { $1.graphIsAssumed }.map(\.0).joined(separator: " and ")
      return assumed.isEmpty
        ? "the same network with equal weights"
        : "equal weights; whether the networks are the same is not known: that of \(assumed) is assumed"
    }
    let network =
      switch comparison.isSameNetwork {
      case true where comparison.first.graphIsAssumed || comparison.second.graphIsAssumed:
        "one architecture, assumed"
      case true: "the same network"
      case false: "different networks"
      case nil: "networks that are not known"
      }
    let differing = comparison.pairs.count - equalCount
    return "\(network), \(equalCount) tensors equal, \(differing) different, "
      + "\(comparison.first.only.count) only in A, \(comparison.second.only.count) only in B"
  }

  /// As text.
  var text: String {
    var sheet = FactSheet()
    for (name, side) in [("A", comparison.first), ("B", comparison.second)] {
      let assumed = side.assumed.joined(separator: ", ")
      sheet.add(
        name,
        [side.path, side.label, side.contentHash]
          + (assumed.isEmpty ? [] : ["assumed: \(assumed)"]) + [side.problem].compactMap(\.self))
    }
    sheet.add("Result", verdict)
    let pairs = comparison.pairs
    if let largest = pairs.filter({ !$0.isEqual }).max(by: { $0.relative < $1.relative }) {
      sheet.add(
        "Largest",
        "\(NumberText.short(largest.largest)) (\(NumberText.short(largest.relative)) relative) "
          + "in \(largest.name)")
    }
    sheet.add(
      "Other names", renamed.isEmpty ? nil : "\(renamed.count) tensors, found by shapes and values")
    sheet.add("Only in A", comparison.first.only.map { "\($0.name) \($0.shape)" })
    sheet.add("Only in B", comparison.second.only.map { "\($0.name) \($0.shape)" })
    guard !listed.isEmpty else { return sheet.text }
    var table = TextTable(
      ["Tensor", "Shape", "Largest", "Mean", "Relative", ""], numeric: [2, 3, 4])
    table.rows = listed.map { pair in
      let remarks = [
        pair.isEqual ? "equal" : nil,
        pair.name == pair.otherName ? nil : "\(pair.otherName) in B",
        pair.shape == pair.otherShape ? nil : "shape \(pair.otherShape) in B",
      ]
      return [
        pair.name, "\(pair.shape)", NumberText.short(pair.largest), NumberText.short(pair.mean),
        NumberText.short(pair.relative), remarks.compactMap { $0 }.joined(separator: ", "),
      ]
    }
    return "\(sheet.text)\n\n\(table.text)"
  }

  /// As JSON.
  var json: JSON {
    get throws {
      func side(_ side: WeightsComparison.Side) -> JSON {
        [
          "file": .string(side.path), "label": .string(side.label),
          "contentHash": .string(side.contentHash),
          "assumed": .array(side.assumed.map { .string($0) }),
          "graphIsAssumed": .bool(side.graphIsAssumed),
          "problem": side.problem.map { .string($0) } ?? .null,
          "only": .array(side.only.map { .string($0.name) }),
        ]
      }
      func number(_ value: Double) -> JSON {
        value.isFinite ? .number(value) : .string("\(value)")
      }
      return [
        "a": side(comparison.first), "b": side(comparison.second),
        "isSame": .bool(comparison.isSame),
        "isSameNetwork": comparison.isSameNetwork.map(JSON.bool) ?? .null,
        "equal": .int(equalCount),
        "largest": number(comparison.pairs.map(\.largest).max() ?? 0),
        "tensors": .array(
          listed.map { pair in
            [
              "name": .string(pair.name), "otherName": .string(pair.otherName),
              "shape": .array(pair.shape.map(JSON.int)),
              "otherShape": .array(pair.otherShape.map(JSON.int)),
              "isEqual": .bool(pair.isEqual), "largest": number(pair.largest),
              "mean": number(pair.mean), "relative": number(pair.relative),
            ]
          }),
      ]
    }
  }
}
