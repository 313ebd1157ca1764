import Aviary
import AviaryGraph
import AviaryTraining
import Testing

/// The network that a recipe describes, and what cannot be trained.
@Suite struct TrainingNetworkTests {
  private func recipe(
    _ architecture: String, scale: Int? = nil, _ change: (inout Recipe) -> Void = { _ in }
  ) -> Recipe {
    var recipe = Recipe(architecture, data: DataRecipe(targets: "data"))
    recipe.scale = scale
    change(&recipe)
    return recipe
  }

  @Test(
    "scales",
    arguments: [
      // What enlarges is built for the scale; what refines is trained for it.
      ("fusion-cae", nil, 2, 2, []), ("fusion-cae", 3, 3, 3, []), ("fusion-cae", 1, 1, 1, [1]),
      ("residual-cae", 2, 2, 1, [2]), ("plain-cae", nil, 1, 1, [1]), ("vdsr", 4, 4, 1, [4]),
      ("espcn", nil, 3, 3, []), ("espcn", 2, 2, 2, []),
    ] as [(String, Int?, Int, Int, [Int])])
  func scales(_ name: String, stated: Int?, scale: Int, own: Int, picture: [Int]) throws {
    let found = try RecipeNetwork(recipe(name, scale: stated), registry: .builtin)
    #expect(found.scale == scale)
    #expect(found.network.graph.sizeRule().scale == Ratio(own))
    #expect(found.network.picture.scales == picture)
  }

  @Test("a preset and members of a configuration are what is built")
  func configuration() throws {
    let refine = try RecipeNetwork(
      recipe("fusion-cae", scale: 3) { $0.preset = "refine" }, registry: .builtin)
    #expect(refine.network.configuration["scale"] == 1)
    #expect(refine.scale == 3)
    let small = try RecipeNetwork(
      recipe("fsrcnn", scale: 3) {
        ($0.preset, $0.configuration) = ("small", ["features": 16])
      }, registry: .builtin)
    #expect(small.network.configuration["shrunk"] == 5)
    #expect(small.network.configuration["features"] == 16)
    #expect(small.network.configuration["scale"] == 3)
  }

  @Test("what cannot be trained is an error that says why, before any time is spent")
  func errors() throws {
    func message(_ recipe: Recipe) throws -> String {
      let error = #expect(throws: (any Error).self) {
        try RecipeNetwork(recipe, registry: .builtin)
      }
      return "\(try #require(error))"
    }
    #expect(
      try message(recipe("residual-cea"))
        == "residual-cea: no such architecture; did you mean residual-cae?")
    #expect(
      try message(recipe("bicubic"))
        == "bicubic: expected an architecture with parameters to train, found none")
    #expect(
      try message(recipe("fsrcnn", scale: 9)) == "fsrcnn: scale: expected 1 to 8, found 9")
    #expect(
      try message(recipe("residual-cae", scale: 65))
        == "scale: expected 1 to 64, found 65")
    #expect(
      try message(recipe("residual-cae") { $0.preset = "x2" })
        == "residual-cae: no preset 'x2' (it has default, end-to-end)")
    #expect(
      try message(recipe("residual-cae") { $0.configuration = ["width": 3] })
        == "residual-cae: no option 'width' (it has channels, features, origin, residual)")
    #expect(
      try message(recipe("residual-cae") { $0.configuration = [3] })
        == "configuration: expected an object, found an array")
    #expect(
      try message(recipe("fusion-cae", scale: 4) { $0.configuration = ["scale": 3] })
        == "scale: expected 3, as the configuration says, found 4")
    #expect(
      try message(recipe("residual-cae") { $0.batch.patch = 47 })
        == "batch.patch: expected a multiple of 2, found 47")
  }
}
