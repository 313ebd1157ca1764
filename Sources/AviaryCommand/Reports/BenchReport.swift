import Aviary
import AviaryCompute
import AviaryGraph

/// What `aviary bench` prints.
struct BenchReport {
  private let reference: String
  private let weights: String
  private let benchmark: NetworkBenchmark

  init(_ reference: String, _ weights: String, _ benchmark: NetworkBenchmark) {
    (self.reference, self.weights, self.benchmark) = (reference, weights, benchmark)
  }

  /// As text.
  func text(withLayers: Bool) -> String {
    let (b, options) = (benchmark, benchmark.options)
    func milliseconds(_ value: Double) -> String { NumberText.short(value) }
    var sheet = FactSheet()
    sheet.add("Model", "\(reference) (\(weights))")
    sheet.add(
      b.inputs.count == 1 ? "Input" : "Inputs", b.inputs.map { "\($0.name) \($0.shape.joined)" })
    sheet.add(
      b.outputs.count == 1 ? "Output" : "Outputs",
      b.outputs.map { "\($0.name) \($0.shape.joined)" })
    sheet.add(
      "Computed",
      [
        options.isTraining ? "forward and back" : nil, options.numbers,
        options.plan.exact ? "exact" : nil, "\(b.threads) thread\(b.threads == 1 ? "" : "s")",
      ].compactMap { $0 }.joined(separator: ", "))
    sheet.add(
      "Time",
      "\(milliseconds(b.times.median)) ms, the median of \(options.runs)"
        + " (\(milliseconds(b.times.fastest)) to \(milliseconds(b.times.slowest)))")
    sheet.add("Multiply-adds", NumberText.scaled(b.multiplyAdds))
    sheet.add("Rate", "\(NumberText.short(b.rate)) GMAC/s")
    if let peak = b.peak, let share = b.share {
      sheet.add(
        "Peak",
        "\(NumberText.short(peak.rate)) GMAC/s (\(peak.description));"
          + " \(NumberText.fixed(share * 100, 0)) % of it reached")
    }
    sheet.add("Memory", "\(NumberText.bytes(b.arenaBytes)) between inputs and outputs")
    sheet.add("Planning", "\(milliseconds(b.planningMilliseconds)) ms")
    sheet.add(
      "Done by",
      algorithms.map { "\(NumberText.fixed($0.share * 100, 1)) %  \($0.name) (\($0.count))" })
    return withLayers ? "\(sheet.text)\n\n\(table.text)" : sheet.text
  }

  /// The operations with their share of the time and number of steps, longest first.
  private var algorithms: [(name: String, share: Double, count: Int)] {
    let groups = Dictionary(grouping: benchmark.steps) {
      "\($0.operation) by \($0.implementation)"
    }
    return groups.map { name, steps in
      (name, steps.reduce(0) { $0 + $1.times.median } / total, steps.count)
    }.sorted { ($0.share, $1.name) > ($1.share, $0.name) }
  }

  /// The sum of the steps' medians. It is not quite the time of a run, because each step waits for
  /// the one before.
  private var total: Double { benchmark.steps.reduce(0) { $0 + $1.times.median } }

  /// A line for each step.
  private var table: TextTable {
    var table = TextTable(
      ["step", "operation", "by", "result", "ms", "fastest", "%", "GMAC/s"],
      numeric: [4, 5, 6, 7])
    for step in benchmark.steps {
      table.rows.append([
        step.name, step.operation, step.implementation, step.shape.joined,
        NumberText.fixed(step.times.median, 3), NumberText.fixed(step.times.fastest, 3),
        NumberText.fixed(100 * step.times.median / total, 1),
        step.rate.map { NumberText.short($0) } ?? "",
      ])
    }
    let fastest = benchmark.steps.reduce(0) { $0 + $1.times.fastest }
    table.rows.append([
      "all", "", "", "", NumberText.fixed(total, 3), NumberText.fixed(fastest, 3), "100",
      NumberText.short(benchmark.multiplyAdds / total / 1e6),
    ])
    return table
  }

  /// As JSON.
  func json(withLayers: Bool) -> JSON {
    let (b, options) = (benchmark, benchmark.options)
    func ports(_ ports: [(name: String, shape: [Int])]) -> JSON {
      .array(ports.map { ["name": .string($0.name), "shape": $0.shape.json] })
    }
    var members: [String: JSON] = [
      "model": .string(reference), "weights": .string(weights), "inputs": ports(b.inputs),
      "outputs": ports(b.outputs), "precision": .string(options.numbers),
      "exact": .bool(options.plan.exact), "training": .bool(options.isTraining),
      "threads": .int(b.threads), "runs": .int(options.runs), "milliseconds": b.times.json,
      "multiplyAdds": .number(b.multiplyAdds), "gmacPerSecond": .number(b.rate),
      "arenaBytes": .int(b.arenaBytes),
      "planningMilliseconds": .number(b.planningMilliseconds),
    ]
    if let peak = b.peak, let share = b.share {
      members["peak"] = [
        "gmacPerSecond": .number(peak.rate), "of": .string(peak.description),
        "share": .number(share),
      ]
    }
    if withLayers {
      members["layers"] = .array(
        b.steps.map { step in
          var members: [String: JSON] = [
            "name": .string(step.name), "operation": .string(step.operation),
            "implementation": .string(step.implementation), "shape": step.shape.json,
            "milliseconds": step.times.json,
            "share": .number(step.times.median / total),
          ]
          if let work = step.multiplyAdds { members["multiplyAdds"] = .number(work) }
          if let rate = step.rate { members["gmacPerSecond"] = .number(rate) }
          return .object(members)
        })
    }
    return .object(members)
  }
}

extension TimedRuns {
  fileprivate var json: JSON {
    ["median": .number(median), "fastest": .number(fastest), "slowest": .number(slowest)]
  }
}

extension [Int] {
  fileprivate var json: JSON { .array(map { .int($0) }) }
  /// A shape as 1x3x256x256.
  fileprivate var joined: String { map(String.init).joined(separator: "x") }
}
