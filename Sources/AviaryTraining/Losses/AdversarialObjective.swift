internal import AviaryTensor

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The losses of a network and its discriminator. The discriminator's scores are logits: positive
/// for what it takes for a target.
///
/// With softplus(x) = log(1 + eˣ), so that -log sigmoid(x) = softplus(-x) and
/// -log(1 - sigmoid(x)) = softplus(x).
struct AdversarialObjective: Sendable {
  let kind: AdversarialRecipe.Kind

  /// Whether the network's loss also depends on the scores of targets.
  var comparesWithTargets: Bool { kind == .relativistic }

  /// The network's loss, and its derivatives with respect to the scores of results.
  ///
  /// - Parameter targets: empty unless `comparesWithTargets`.
  func generator(
    results: [Float], targets: [Float]
  ) -> (value: Double, results: [Float]) {
    let count = Double(results.count)
    switch kind {
    case .standard:
      // The non-saturating form: -log D(result).
      return (
        mean(results) { softplus(-$0) }, results.map { Float(-sigmoid(-Double($0)) / count) }
      )
    case .relativistic:
      // As for the discriminator, with the roles swapped.
      let losses = relativistic(first: results, second: targets)
      return (losses.value, losses.first)
    case .hinge:
      return (-mean(results) { $0 }, results.map { _ in Float(-1 / count) })
    }
  }

  /// The discriminator's loss, and its derivatives with respect to the scores of results and of
  /// targets.
  func discriminator(
    results: [Float], targets: [Float]
  ) -> (value: Double, results: [Float], targets: [Float]) {
    let (n, m) = (Double(results.count), Double(targets.count))
    switch kind {
    case .standard:
      return (
        mean(targets) { softplus(-$0) } + mean(results) { softplus($0) },
        results.map { Float(sigmoid(Double($0)) / n) },
        targets.map { Float(-sigmoid(-Double($0)) / m) }
      )
    case .relativistic:
      let losses = relativistic(first: targets, second: results)
      return (losses.value, losses.second, losses.first)
    case .hinge:
      return (
        mean(targets) { max(1 - $0, 0) } + mean(results) { max(1 + $0, 0) },
        results.map { $0 > -1 ? Float(1 / n) : 0 }, targets.map { $0 < 1 ? Float(-1 / m) : 0 }
      )
    }
  }

  /// mean softplus(-(first - mean second)) + mean softplus(second - mean first): low if the first
  /// scores are above the second on average; with the derivatives with respect to both.
  private func relativistic(
    first: [Float], second: [Float]
  ) -> (value: Double, first: [Float], second: [Float]) {
    let (n, m) = (Double(first.count), Double(second.count))
    let center = mean(first) { $0 }, other = mean(second) { $0 }
    // With respect to every difference; each also contributes through the mean that was subtracted.
    let firsts = first.map { -sigmoid(other - Double($0)) / n }
    let seconds = second.map { sigmoid(Double($0) - center) / m }
    let pullOfFirsts = firsts.reduce(0, +) / m, pullOfSeconds = seconds.reduce(0, +) / n
    return (
      mean(first) { softplus(other - $0) } + mean(second) { softplus($0 - center) },
      firsts.map { Float($0 - pullOfSeconds) }, seconds.map { Float($0 - pullOfFirsts) }
    )
  }

  private func mean(_ scores: [Float], _ function: (Double) -> Double) -> Double {
    scores.reduce(0) { $0 + function(Double($1)) } / Double(scores.count)
  }

  /// log(1 + eˣ), which never overflows and is also exact for large negative numbers.
  private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

  /// 1 / (1 + e⁻ˣ), likewise.
  private func sigmoid(_ x: Double) -> Double {
    let small = exp(-abs(x))
    return (x < 0 ? small : 1) / (1 + small)
  }
}
