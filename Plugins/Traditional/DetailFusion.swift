internal import AviaryGraph

/// Several enlargements fused band by band: the low band is that of linear interpolation, and in the
/// band above it each pixel has the strongest detail that any of them shows.
///
/// The rule of choice is that of fusion by a Laplacian pyramid (Burt and Adelson, "Merging images
/// through pattern decomposition", 1985).
enum DetailFusion: Architecture {
  typealias Configuration = TraditionalConfiguration

  static let info = ArchitectureInfo(
    "detail-fusion",
    summary: "Several enlargements fused by bands, the strongest detail of each pixel",
    paper: "https://doi.org/10.1117/12.966501")

  static let presets = TraditionalConfiguration.presets(iterations: 2)

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    let cubic = input.enlarged(c.scale)
    let low = input.enlarged(c.scale, .linear)
    let details = [
      cubic, input.enlarged(c.scale, .lanczos(lobes: 3)),
      cubic.backProjected(onto: input, c.scale, iterations: c.iterations),
    ].map { $0.applying(.binary(.subtract), low) }
    let strongest = details.dropFirst().reduce(details[0]) { best, next in
      next.activation(.abs).applying(.binary(.greater), best.activation(.abs))
        .choosing(next, best)
    }
    return [low.applying(.binary(.add), strongest)]
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(DetailFusion.self, $0) }
