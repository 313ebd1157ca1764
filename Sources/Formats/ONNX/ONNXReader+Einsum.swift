import AviaryGraph

/// Sums of products of one or two values, as one letter for each dimension says them.
extension ONNXReader {
  mutating func einsum() throws(InterchangeError) -> ONNXOperand {
    var values: [Int] = []
    for input in node.inputs.indices { values.append(try value(input)) }
    let text = node.text("equation") ?? ""
    guard values.count <= 2, let equation = EinsumEquation(text, ranks: values.map { rank($0) })
    else {
      throw unsupported(
        "the equation '\(text)' is read for one or two values, each letter once in each")
    }
    var terms = equation.inputs
    for i in values.indices {
      // What neither the other value nor the result has is summed up at once.
      let others = equation.inputs.indices.filter { $0 != i }.flatMap { equation.inputs[$0] }
      let kept = Set(equation.output + others)
      let gone = terms[i].indices.filter { !kept.contains(terms[i][$0]) }
      if gone.isEmpty { continue }
      let sum = Reduction(.sum, dimensions: gone, keepsDimensions: false)
      values[i] = try add(.reduce(sum), [values[i]])
      terms[i] = terms[i].filter(kept.contains)
    }
    if values.count == 1 {
      return .value(try arranged(values[0], terms[0], equation.output))
    }
    return .value(try product(values, terms, equation.output))
  }

  /// A value with its dimensions in the order of these letters.
  private mutating func arranged(
    _ value: Int, _ letters: [Character], _ order: [Character]
  ) throws(InterchangeError) -> Int {
    let places = order.compactMap { letters.firstIndex(of: $0) }
    guard places.count == letters.count, order.count == letters.count else {
      throw unsupported("a result that has a letter which no value has")
    }
    return try permuted(value, places)
  }

  /// Two values as matrices: shared letters of the result in front, then what one has alone, and what
  /// is summed over.
  private mutating func product(
    _ values: [Int], _ terms: [[Character]], _ output: [Character]
  ) throws(InterchangeError) -> Int {
    let (a, b) = (terms[0], terms[1])
    let batch = output.filter { a.contains($0) && b.contains($0) }
    let summed = a.filter { b.contains($0) && !output.contains($0) }
    let (rows, columns) = (a.filter { !b.contains($0) }, b.filter { !a.contains($0) })
    let samples = self.samples.shapes.indices
    // For each image, the size that each letter stands for; a size of 1 repeats.
    var sizes: [[Character: Int]] = []
    for sample in samples {
      var size: [Character: Int] = [:]
      for (value, letters) in zip(values, terms) {
        for (letter, count) in zip(letters, shapes[value][sample]) {
          let known = size[letter] ?? 1
          let repeats = !summed.contains(letter) && (known == 1 || count == 1)
          guard size[letter] == nil || known == count || repeats else {
            throw unsupported("letter \(letter) stands for \(known) and for \(count)")
          }
          size[letter] = max(known, count)
        }
      }
      sizes.append(size)
    }
    func count(_ letters: [Character], _ sample: Int) -> Int {
      letters.reduce(1) { $0 * (sizes[sample][$1] ?? 1) }
    }
    /// One of the two as matrices.
    func matrices(
      _ i: Int, _ first: [Character], _ second: [Character]
    ) throws(InterchangeError) -> Int {
      let turned = try arranged(values[i], terms[i], batch + first + second)
      return try reshaped(
        turned,
        to: samples.map { sample in
          Array(shapes[turned][sample].prefix(batch.count))
            + [count(first, sample), count(second, sample)]
        })
    }
    let left = try matrices(0, rows, summed)
    let right = try matrices(1, summed, columns)
    let result = try add(.matmul, [left, right])
    let letters = batch + rows + columns
    let full = try reshaped(
      result, to: samples.map { sample in letters.map { sizes[sample][$0] ?? 1 } })
    return try arranged(full, letters, output)
  }
}

/// An equation of ONNX's Einsum: `bchw,bcij->bhwij`.
struct EinsumEquation: Equatable {
  /// The letters of each value's dimensions.
  var inputs: [[Character]]
  /// Those of the result's.
  var output: [Character]

  /// Reads an equation for values of so many dimensions; nil where it does not fit them, and for a
  /// letter twice in one value (a diagonal).
  init?(_ text: String, ranks: [Int]) {
    let text = text.filter { $0 != " " }
    let sides = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    guard terms.count == ranks.count, sides.count == 1 || sides[1].first == ">" else { return nil }
    // An ellipsis stands for as many dimensions as are left: letters that no equation has.
    let spare = "0123456789".map { $0 }
    var most = 0
    inputs = []
    for (term, rank) in zip(terms, ranks) {
      let named = term.count(where: { $0 != "." })
      let hasEllipsis = term.contains(".")
      guard hasEllipsis ? named <= rank : named == rank, rank - named <= spare.count else {
        return nil
      }
      most = max(most, rank - named)
      inputs.append(
        EinsumEquation.expanded(term, Array(spare.prefix(rank - named).reversed())))
    }
    let ellipsis = Array(spare.prefix(most).reversed())
    if sides.count == 2 {
      output = EinsumEquation.expanded(Array(sides[1].dropFirst()), ellipsis)
    } else {
      let all = inputs.flatMap { $0 }
      output =
        ellipsis
        + Set(all).subtracting(ellipsis).filter { l in all.count { $0 == l } == 1 }.sorted()
    }
    let letters = inputs.flatMap { $0 }
    guard (inputs + [output]).allSatisfy({ Set($0).count == $0.count }),
      letters.allSatisfy({ $0.isLetter || spare.contains($0) }),
      output.allSatisfy(letters.contains)
    else { return nil }
  }

  private static func expanded(_ term: [Character], _ ellipsis: [Character]) -> [Character] {
    guard let dots = term.firstIndex(of: ".") else { return term }
    return term[..<dots].filter { $0 != "." } + ellipsis + term[dots...].filter { $0 != "." }
  }
}
