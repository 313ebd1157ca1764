import AviaryGraph

extension Resize {
  /// The interpolation as an expression of Python's: PyTorch's own where it computes just this, else
  /// a function that computes it from the definition.
  ///
  /// PyTorch's antialiasing leaves out what lies beyond the edges instead of repeating the edge, and
  /// so is not used.
  func python(_ x: String, like: String?, _ forward: inout PyTorchForward) -> String {
    let factor: Ratio? = if case .factor(let ratio) = target { ratio } else { nil }
    let size =
      factor.map { "factor=(\($0.numerator), \($0.denominator))" } ?? "like=\(like ?? x)"
    if let mode = ownMode, factor?.denominator ?? 1 == 1 {
      let target = factor.map { "scale_factor=\($0.numerator)" } ?? "\(like ?? x).shape[2:]"
      return "F.interpolate(\(x), \(target), \(mode))"
    }
    if kernel == .nearest {
      forward.need(.nearest)
      return "nearest(\(x), \"\(coordinates.rawValue)\", \(size))"
    }
    forward.need(.resize)
    let weigh: String
    let support: Int
    switch kernel {
    case .nearest, .linear: (weigh, support) = ("lambda x: (1 - x).clamp(min=0)", 1)
    case .cubic(let a):
      forward.need(.cubic)
      (weigh, support) = ("cubic(\(a))", 2)
    case .lanczos(let lobes):
      forward.need(.lanczos)
      (weigh, support) = ("lanczos(\(lobes))", lobes)
    }
    return "resize(\(x), \(weigh), \(support), \"\(coordinates.rawValue)\", \"\(edge.rawValue)\", "
      + "\(antialias ? "True" : "False"), \(size))"
  }

  /// The mode of PyTorch's own function that computes this at whole factors; nil where none does.
  private var ownMode: String? {
    // A whole factor enlarges, where antialiasing changes nothing; another size may not.
    let isPlain = if case .factor = target { true } else { !antialias }
    guard isPlain, coordinates != .asymmetric || kernel == .nearest else { return nil }
    let aligned = coordinates == .alignCorners ? "True" : "False"
    switch kernel {
    case .nearest:
      guard case .factor = target, coordinates != .alignCorners else { return nil }
      return "mode=\"nearest\""
    // It reaches one pixel beyond the edge, which mirrored is the edge pixel.
    case .linear: return "mode=\"bilinear\", align_corners=\(aligned)"
    case .cubic(-0.75) where edge == .edge: return "mode=\"bicubic\", align_corners=\(aligned)"
    case .cubic, .lanczos: return nil
    }
  }
}
