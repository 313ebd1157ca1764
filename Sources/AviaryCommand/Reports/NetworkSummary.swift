import AviaryGraph

/// Facts derived from a network's graph: nobody has to state them, and no model card can get them
/// wrong.
///
/// Nothing is computed until it is asked for: lists need few of the facts, and fast.
struct NetworkSummary {
  /// The work for one image. Publications count it for a result of 1280x720.
  struct Work {
    var input: Size
    var output: Size
    var multiplyAdds: Double
  }

  let picture: ImageSpec
  private let graph: Graph

  init(_ graph: Graph, _ picture: ImageSpec) {
    self.graph = graph
    self.picture = picture
  }

  /// The number of learned and frozen values.
  var parameters: Int { graph.parameterCount }

  /// The supported scales; empty if the network supports any.
  var scales: [Int] {
    if !picture.scales.isEmpty { return picture.scales }
    guard picture.enlargeFirst == .no, let scale = graph.scale(ofOutput: 0),
      scale.denominator == 1
    else { return [] }
    return [scale.numerator]
  }

  /// The work for a result of 1280x720, or what comes next to it; nil where the network gives no
  /// image.
  private func work(_ input: Size) -> Work? {
    guard let shapes = try? graph.shapes(height: input.height, width: input.width),
      let sum = try? graph.multiplyAdds(height: input.height, width: input.width),
      case let output = shapes[graph.outputs[0].value], output.count == 4
    else { return nil }
    return Work(input: input, output: Size(output[2], output[3]), multiplyAdds: sum)
  }

  /// The smallest input that gives an image of at least 1280x720.
  private func customaryInput(_ sizes: SizeRule) -> Size {
    if let size = graph.inputs[0].size { return size }
    // A hostile graph may have any ratio, and then there is no such input.
    let scale =
      sizes.scale.flatMap {
        max($0.numerator, $0.denominator) <= GraphLimits.window ? $0 : nil
      } ?? Ratio(1)
    func side(_ side: Int) -> Int {
      let pixels = (side * scale.denominator + scale.numerator - 1) / scale.numerator
      return (pixels + sizes.exactMultiple - 1) / sizes.exactMultiple * sizes.exactMultiple
    }
    return Size(side(720), side(1280))
  }

  private func tiling(_ input: Size) -> Tiling? {
    try? graph.tiling(height: input.height, width: input.width)
  }
}

// MARK: - In words

extension NetworkSummary {
  /// The scales: 2, or 2, 3, 4, or any.
  var scaleText: String {
    guard scales.isEmpty else { return scales.map(String.init).joined(separator: ", ") }
    return picture.enlargeFirst == .no ? "none" : "any"
  }

  /// Adds what there is to a sheet.
  func describe(in sheet: inout FactSheet) {
    let sizes = graph.sizeRule(), input = customaryInput(sizes)
    sheet.add("Image", picture.text)
    sheet.add("Scale", scaleText)
    sheet.add("Parameters", NumberText.grouped(parameters))
    sheet.add(
      "Work",
      work(input).map { work in
        "\(NumberText.scaled(work.multiplyAdds)) multiply-adds for \(work.output.text)"
          + " from \(work.input.text)"
      })
    sheet.add("Sizes", sizes.text)
    sheet.add("Tiling", tiling(input)?.text)
  }
}

extension SizeRule {
  fileprivate var text: String {
    if let size {
      return "\(size.width)x\(size.height) only"
        + (shrinkage > 0 ? "; the output \(shrinkage) pixels smaller" : "")
    }
    var parts = ["at least \(minimum)x\(minimum)"]
    if multiple > 1 { parts.append("multiples of \(multiple)") }
    if exactMultiple > multiple {
      parts.append("the output in proportion for multiples of \(exactMultiple)")
    }
    if shrinkage > 0 { parts.append("the output \(shrinkage) pixels smaller") }
    return parts.joined(separator: "; ")
  }
}

extension ImageSpec {
  /// Inputs and outputs, as text.
  fileprivate var text: String {
    var parts = ["\(colour.rawValue), \(number(range.lowerBound)) to \(number(range.upperBound))"]
    if !mean.isEmpty { parts.append("mean \(mean.map(number).joined(separator: ", "))") }
    if !deviation.isEmpty {
      parts.append("deviation \(deviation.map(number).joined(separator: ", "))")
    }
    if enlargeFirst == .bicubic { parts.append("enlarged first, bicubically") }
    if output != .picture { parts.append("gives the \(output.rawValue)") }
    switch padding {
    case .edge: break
    case .reflect, .symmetric: parts.append("padded by mirroring (\(padding.rawValue))")
    case .zero: parts.append("padded with black")
    }
    return parts.joined(separator: "; ")
  }

  private func number(_ value: Double) -> String { JSON.number(value).text }
}

extension Tiling {
  fileprivate var text: String {
    switch self {
    case .exact(let overlap, let multiple):
      "exact, with an overlap of \(overlap) pixels"
        + (multiple > 1 ? ", at multiples of \(multiple)" : "")
    case .whole(let reason): "the whole image only: \(reason)"
    }
  }
}

extension Size {
  /// Width by height, as image sizes are written.
  fileprivate var text: String { "\(width)x\(height)" }
}

// MARK: - As JSON

extension NetworkSummary {
  /// The members of a network's description.
  var json: JSON {
    let sizes = graph.sizeRule(), input = customaryInput(sizes)
    var members: [String: JSON] = [
      "parameters": .int(parameters), "scales": .array(scales.map(JSON.int)),
      "picture": picture.json, "multiple": .int(sizes.multiple),
      "exactMultiple": .int(sizes.exactMultiple), "minimum": .int(sizes.minimum),
      "shrinkage": .int(sizes.shrinkage),
    ]
    if let size = sizes.size { members["size"] = size.json }
    if let scale = sizes.scale {
      members["scale"] = scale.denominator == 1 ? .int(scale.numerator) : .number(scale.value)
    }
    if let work = work(input) {
      members["work"] = [
        "input": work.input.json, "output": work.output.json,
        "multiplyAdds": .number(work.multiplyAdds),
      ]
    }
    switch tiling(input) {
    case .exact(let overlap, let multiple):
      members["tiling"] = [
        "kind": "exact", "overlap": .int(overlap), "multiple": .int(multiple),
      ]
    case .whole(let reason): members["tiling"] = ["kind": "whole", "reason": .string(reason)]
    case nil: break
    }
    return .object(members)
  }
}

extension Size {
  fileprivate var json: JSON { ["width": .int(width), "height": .int(height)] }
}
