internal import AviaryGraph

extension RecipeValue where Value == DataRecipe.Degradation {
  /// One of `noise: 5...25`, `jpeg: 30...90`, `blur: 0.5...2`.
  static var degradation: RecipeValue {
    let expected = "noise, jpeg or blur with its strength, as noise: 5...25"
    return RecipeValue(
      expected: expected,
      placeholder: "list",
      read: { (node) throws(RecipeProblem) in
        guard case .mapping(let members) = node.content, members.count == 1 else {
          throw RecipeProblem(expected, found: node)
        }
        let name = members[0].name
        var rest = try RecipeMembers(node, ["noise", "jpeg", "blur"], expected: expected)
        switch name {
        case "noise": return .noise(deviation: try rest.take(name, .range(0...255)))
        case "jpeg": return .jpeg(quality: try rest.take(name, .range(1...100)))
        default: return .blur(deviation: try rest.take(name, .range(0...64)))
        }
      },
      write: {
        let strength = RecipeValue<ClosedRange<Double>>.range(0...0)
        return switch $0 {
        case .noise(let range): "{noise: \(strength.write(range))}"
        case .jpeg(let range): "{jpeg: \(strength.write(range))}"
        case .blur(let range): "{blur: \(strength.write(range))}"
        }
      })
  }
}

extension RecipeValue where Value == LossRecipe {
  private static var kinds: [String] {
    ["l1", "l2", "charbonnier", "ssim", "total-variation", "perceptual"]
  }

  /// A loss's name, or `{kind: ssim, weight: 0.1}`.
  static var loss: RecipeValue {
    RecipeValue(
      expected: "one of \(kinds.joined(separator: ", ")), or as {kind: ssim, weight: 0.1},",
      placeholder: "list",
      read: { (node) throws(RecipeProblem) in try loss(node) }, write: { text($0) })
  }

  private static func loss(_ node: RecipeNode) throws(RecipeProblem) -> LossRecipe {
    if case .scalar = node.content {
      return LossRecipe(
        try kind(
          node,
          RecipeNode(.mapping([.init(name: "kind", line: node.line, value: node)]), line: node.line)
        ))
    }
    guard case .mapping(let members) = node.content,
      let name = members.first(where: { $0.name == "kind" })?.value
    else { throw RecipeProblem(loss.expected, found: node) }
    let weight =
      members.first { $0.name == "weight" }?.value ?? RecipeNode(text: "1")
    let others = members.filter { $0.name != "weight" }
    let kind = try kind(name, RecipeNode(.mapping(others), line: node.line))
    do throws(RecipeProblem) {
      return LossRecipe(kind, weight: try RecipeValue<Double>.number(0...1e6).read(weight))
    } catch {
      throw error.within(".weight")
    }
  }

  /// - Parameter node: all members except the weight.
  private static func kind(
    _ name: RecipeNode, _ node: RecipeNode
  ) throws(RecipeProblem) -> LossRecipe.Kind {
    func members(_ names: String...) throws(RecipeProblem) -> RecipeMembers {
      try RecipeMembers(node, ["kind"] + names, expected: "a mapping")
    }
    switch name.text {
    case "l1":
      _ = try members("weight")
      return .l1
    case "l2":
      _ = try members("weight")
      return .l2
    case "ssim":
      _ = try members("weight")
      return .ssim
    case "total-variation":
      _ = try members("weight")
      return .totalVariation
    case "charbonnier":
      var members = try members("weight", "epsilon")
      return .charbonnier(epsilon: try members.take("epsilon", .number(1e-9...1), default: 1e-3))
    case "perceptual":
      var members = try members("weight", "checkpoint", "layers", "squared")
      var recipe = PerceptualRecipe(
        checkpoint: try members.take("checkpoint", .checkpoint))
      recipe.layers = try members.take("layers", .layers, default: [:])
      recipe.isSquared = try members.take("squared", .truth, default: true)
      return .perceptual(recipe)
    default:
      let nearest = name.text.flatMap { $0.nearest(in: kinds) }
      throw RecipeProblem(
        expected: "one of \(kinds.joined(separator: ", "))",
        found: name.label + (nearest.map { " (did you mean \($0)?)" } ?? ""), line: name.line)
    }
  }

  private static func text(_ loss: LossRecipe) -> String {
    var members: [String] = []
    switch loss.kind {
    case .l1: members = ["kind: l1"]
    case .l2: members = ["kind: l2"]
    case .ssim: members = ["kind: ssim"]
    case .totalVariation: members = ["kind: total-variation"]
    case .charbonnier(let epsilon):
      members = ["kind: charbonnier", "epsilon: \(epsilon.brief)"]
    case .perceptual(let recipe):
      members = [
        "kind: perceptual", "checkpoint: \(recipe.checkpoint.quotedIfNeeded)",
        "layers: \(RecipeValue<[String: Double]>.layers.write(recipe.layers))",
        "squared: \(recipe.isSquared)",
      ]
    }
    return "{\((members + ["weight: \(loss.weight.brief)"]).joined(separator: ", "))}"
  }
}

extension RecipeValue where Value == [String: Double] {
  /// Layers with weights, or a list of layers with weight 1 each.
  static var layers: RecipeValue {
    let expected = "layers with weights, as {features.22: 1}"
    return RecipeValue(
      expected: expected,
      placeholder: "mapping",
      read: { (node) throws(RecipeProblem) in
        switch node.content {
        case .mapping(let members):
          var layers: [String: Double] = [:]
          for member in members {
            do throws(RecipeProblem) {
              layers[member.name] = try RecipeValue<Double>.number(0...1e6).read(member.value)
            } catch {
              throw error.within(".\(member.name)")
            }
          }
          return layers
        case .list, .scalar:
          let names = try RecipeValue<[String]>.list(
            .text("a layer's name", placeholder: "name"), expected
          ).read(node)
          return Dictionary(names.map { ($0, 1) }) { $1 }
        }
      },
      write: {
        let members = $0.sorted { $0.key < $1.key }
        return
          "{\(members.map { "\($0.key.quotedIfNeeded): \($0.value.brief)" }.joined(separator: ", "))}"
      })
  }
}
