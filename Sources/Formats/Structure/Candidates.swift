import AviaryGraph

/// Configurations of an architecture whose graphs have as many layers of each kind as a file.
///
/// The number of layers grows evenly with a member of the configuration (an integer, the length of
/// an array, an element of one): from two graphs follows the value that a file needs, and no others
/// are tried.
struct Candidates {
  private let architecture: AnyArchitecture
  private let wanted: [ExternalLayer.Kind: Int]
  private let forStateDict: Bool
  /// The plans found, each once: those of one plan differ in sizes, which the shapes tell later.
  private(set) var plans: [LayerPlan] = []
  private var seen: Set<LayerPlan> = []
  private var built: [[String: JSON]: LayerPlan] = [:]

  /// Bounds on the work: more levels, plans and elements than any architecture has.
  private static let limits = (levels: 8, plans: 300, elements: 8)

  /// - Parameter lengths: whether all arrays of a configuration together may have another length
  ///   (the levels of an autoencoder), which takes many graphs.
  /// - Parameter forStateDict: whether the file does not tell convolutions of several kinds apart.
  init(
    _ architecture: AnyArchitecture, _ wanted: [ExternalLayer.Kind: Int], lengths: Bool,
    forStateDict: Bool
  ) {
    self.architecture = architecture
    self.wanted = wanted
    self.forStateDict = forStateDict
    // What changes how many layers there are does not change of which kinds.
    let kinds = Set(wanted.keys)
    for configuration in bases(lengths: lengths) {
      guard let plan = plan(configuration), Set(plan.counts.keys) == kinds else { continue }
      keep(configuration)
      for member in configuration.keys.sorted() { solve(member, configuration) }
    }
  }

  /// The presets, each also with one truth turned round; or these with all arrays of another
  /// length.
  private func bases(lengths: Bool) -> [[String: JSON]] {
    var bases: [[String: JSON]] = []
    for preset in architecture.presets {
      guard let members = preset.configuration.object else { continue }
      bases.append(members)
      for (name, value) in members.sorted(by: { $0.key < $1.key }) {
        guard case .bool(let truth) = value else { continue }
        bases.append(members.merging([name: .bool(!truth)]) { $1 })
      }
    }
    guard lengths else { return bases }
    var longer: [[String: JSON]] = []
    for base in bases {
      for length in 1...Self.limits.levels {
        let resized = base.mapValues { $0.resized(to: length) }
        if resized != base { longer.append(resized) }
      }
    }
    var seen: Set<[String: JSON]> = []
    return longer.filter { seen.insert($0).inserted }
  }

  private mutating func solve(_ member: String, _ base: [String: JSON]) {
    switch base[member] {
    case .int(let value):
      guard let plan = plan(base), let next = self.plan(of: base, member, .int(value + 1)),
        let steps = Self.steps(from: plan.counts, by: next.counts, to: wanted)
      else { return }
      let (solved, overflow) = value.addingReportingOverflow(steps)
      if !overflow, solved >= 0, solved <= 65_536 {
        keep(base.merging([member: .int(solved)]) { $1 })
      }
    case .array(let elements):
      let array = elements.compactMap(\.int)
      guard !array.isEmpty, array.count == elements.count else { return }
      solveLength(member, array, base)
      if array.count <= Self.limits.elements { solveElements(member, array, base) }
    default: break
    }
  }

  private mutating func solveLength(_ member: String, _ array: [Int], _ base: [String: JSON]) {
    let last = array[array.count - 1]
    func of(length: Int) -> JSON {
      .array((0..<length).map { .int($0 < array.count ? array[$0] : last) })
    }
    guard let plan = plan(base),
      let next = self.plan(of: base, member, of(length: array.count + 1)),
      let steps = Self.steps(from: plan.counts, by: next.counts, to: wanted)
    else { return }
    let length = array.count + steps
    if (1...4_096).contains(length) { keep(base.merging([member: of(length: length)]) { $1 }) }
  }

  /// Elements that are counts themselves (blocks of each level): all combinations that add up.
  private mutating func solveElements(_ member: String, _ array: [Int], _ base: [String: JSON]) {
    func of(_ values: [Int]) -> JSON { .array(values.map(JSON.int)) }
    let ones = [Int](repeating: 1, count: array.count)
    guard let least = plan(of: base, member, of(ones)) else { return }
    var steps: [[ExternalLayer.Kind: Int]] = []
    for i in array.indices {
      var more = ones
      more[i] = 2
      guard let plan = plan(of: base, member, of(more)) else { return }
      let step = Self.difference(plan.counts, least.counts)
      // Elements that are sizes and not counts change nothing here.
      guard step.values.contains(where: { $0 > 0 }), step.values.allSatisfy({ $0 >= 0 }) else {
        return
      }
      steps.append(step)
    }
    var values = ones
    var tried = 0
    // Combinations that add up to nothing take as long to look through as those that do.
    var visited = 0
    func combine(_ i: Int, _ rest: [ExternalLayer.Kind: Int], _ body: ([Int]) -> Void) {
      visited += 1
      guard tried < limits, visited < 20_000, rest.values.allSatisfy({ $0 >= 0 }) else { return }
      if i == values.count {
        if rest.values.allSatisfy({ $0 == 0 }) {
          tried += 1
          body(values)
        }
        return
      }
      var rest = rest
      values[i] = 1
      while rest.values.allSatisfy({ $0 >= 0 }), tried < limits, visited < 20_000 {
        combine(i + 1, rest, body)
        rest = Self.difference(rest, steps[i])
        values[i] += 1
      }
    }
    let limits = Self.limits.plans
    var found: [[Int]] = []
    combine(0, Self.difference(wanted, least.counts)) { found.append($0) }
    for values in found { keep(base.merging([member: of(values)]) { $1 }) }
  }

  private mutating func keep(_ configuration: [String: JSON]) {
    guard plans.count < Self.limits.plans, let plan = plan(configuration), plan.counts == wanted,
      seen.insert(plan).inserted
    else { return }
    plans.append(plan)
  }

  private mutating func plan(_ configuration: [String: JSON]) -> LayerPlan? {
    if let known = built[configuration] { return known }
    let plan = (try? architecture.network(.object(configuration))).map {
      LayerPlan($0.graph, forStateDict: forStateDict)
    }
    built[configuration] = plan
    return plan
  }

  private mutating func plan(of base: [String: JSON], _ member: String, _ value: JSON) -> LayerPlan?
  {
    plan(base.merging([member: value]) { $1 })
  }

  /// How many steps lead from one count to another; nil if none do.
  private static func steps(
    from base: [ExternalLayer.Kind: Int], by next: [ExternalLayer.Kind: Int],
    to wanted: [ExternalLayer.Kind: Int]
  ) -> Int? {
    let step = difference(next, base), missing = difference(wanted, base)
    guard let (kind, size) = step.first(where: { $0.value != 0 }) else { return nil }
    let steps = missing[kind, default: 0] / size
    let fits = ExternalLayer.Kind.allCases.allSatisfy {
      steps.multipliedReportingOverflow(by: step[$0, default: 0]).partialValue
        == missing[$0, default: 0]
    }
    return fits && steps != 0 ? steps : nil
  }

  private static func difference(
    _ a: [ExternalLayer.Kind: Int], _ b: [ExternalLayer.Kind: Int]
  ) -> [ExternalLayer.Kind: Int] {
    a.merging(b.mapValues { -$0 }, uniquingKeysWith: +)
  }
}

extension JSON {
  /// An array of integers cut, or continued with its last; anything else as it is.
  fileprivate func resized(to length: Int) -> JSON {
    guard let elements = array, let last = elements.last, elements.allSatisfy({ $0.int != nil })
    else { return self }
    return .array((0..<length).map { $0 < elements.count ? elements[$0] : last })
  }
}
