import AviaryCompute
import AviaryGraph
import AviaryTestSupport
import Foundation
import Testing

@testable import AviaryTraining

@Suite("Recipes: reading, writing, refusing")
struct RecipeReadingTests {
  @Test("an architecture alone is a recipe with all defaults")
  func defaults() throws {
    let recipe = try Recipe(yaml: "architecture: residual-cae")
    #expect(recipe == Recipe("residual-cae", data: DataRecipe(targets: "")))
  }

  @Test("every field is read")
  func everyField() throws {
    let recipe = try Recipe(
      yaml: """
        architecture: fusion-cae   # a comment
        preset: small
        configuration: {features: [32, 64], name: "5", deep: {a: 0.5, b: null, c: true}}
        scale: 3
        from: fusion-cae-x2
        data:
          targets: "some folder"
          inputs: none
          degradations: [noise: 5...25, {jpeg: 30...90}, blur: 1.5]
          max-invalid-share: 0.25
        batch: {size: 32, accumulation: 2, patch: 96, horizontal-flip: no, rot90: off, workers: 3,
                channel-shuffle: yes}
        losses:
          - l1
          - {kind: ssim, weight: 0.1}
          - kind: charbonnier
            epsilon: 1e-4
          - {kind: perceptual, checkpoint: vgg.h5, layers: {features.22: 2}, squared: false, weight: 1e-2}
          - {kind: perceptual, checkpoint: vgg.h5, layers: [a, b]}
          - total-variation
        adversarial:
          kind: relativistic
          start: 1_000
          optimizer: {learning-rate: 2e-4}
        optimizer: {kind: adamw, learning-rate: 2e-4, beta1: 0.8, beta2: 0.99, epsilon: 1e-7,
                    weight-decay: 0.01}
        schedule: {kind: step, warmup: 10, min-lr-ratio: 0, milestones: [100, 200], factor: 0.1}
        steps: 4e4
        clip-norm: 0.5
        ema-decay: none
        initialization: zero-last
        precision: bfloat16
        seed: 18446744073709551615
        threads: 2
        validation: {data: Set5, every: 500, samples: 5}
        saving: {folder: runs/a, every: 100, minutes: none, keep: 3}
        """)
    var expected = Recipe("fusion-cae", data: DataRecipe(targets: "some folder"))
    expected.preset = "small"
    expected.configuration = [
      "features": [32, 64], "name": "5", "deep": ["a": 0.5, "b": .null, "c": true],
    ]
    (expected.scale, expected.from) = (3, "fusion-cae-x2")
    expected.data.degradations = [
      .noise(deviation: 5...25), .jpeg(quality: 30...90), .blur(deviation: 1.5...1.5),
    ]
    expected.data.maxInvalidShare = 0.25
    (expected.batch.size, expected.batch.accumulation, expected.batch.patch) = (32, 2, 96)
    (expected.batch.horizontalFlip, expected.batch.rot90, expected.batch.workers) = (
      false, false, 3
    )
    expected.batch.channelShuffle = true
    var features = PerceptualRecipe(checkpoint: "vgg.h5")
    (features.layers, features.isSquared) = (["features.22": 2], false)
    var more = PerceptualRecipe(checkpoint: "vgg.h5")
    more.layers = ["a": 1, "b": 1]
    expected.losses = [
      LossRecipe(.l1), LossRecipe(.ssim, weight: 0.1), LossRecipe(.charbonnier(epsilon: 1e-4)),
      LossRecipe(.perceptual(features), weight: 0.01), LossRecipe(.perceptual(more)),
      LossRecipe(.totalVariation),
    ]
    var adversarial = AdversarialRecipe()
    (adversarial.kind, adversarial.start, adversarial.optimizer.learningRate) = (
      .relativistic, 1000, 2e-4
    )
    expected.adversarial = adversarial
    expected.optimizer = OptimizerRecipe(learningRate: 2e-4)
    (expected.optimizer.kind, expected.optimizer.weightDecay) = (.adamw, 0.01)
    (expected.optimizer.beta1, expected.optimizer.beta2) = (0.8, 0.99)
    expected.optimizer.epsilon = 1e-7
    (expected.schedule.kind, expected.schedule.warmup, expected.schedule.minLearningRateRatio) = (
      .step, 10, 0
    )
    (expected.schedule.milestones, expected.schedule.factor) = ([100, 200], 0.1)
    (expected.steps, expected.clipNorm, expected.emaDecay) = (40_000, 0.5, nil)
    (expected.initialization, expected.precision) = (.zeroLast, .bfloat16)
    (expected.seed, expected.threads) = (.max, 2)
    (expected.validation.data, expected.validation.every) = ("Set5", 500)
    expected.validation.samples = 5
    (expected.saving.folder, expected.saving.every, expected.saving.keep) = ("runs/a", 100, 3)
    expected.saving.minutes = nil
    #expect(recipe == expected)
    try recipe.check()
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
    #expect(try Recipe(yaml: recipe.yaml).yaml == recipe.yaml)
  }

  @Test("a section without fields is asked for; none is not")
  func adversarial() throws {
    #expect(try Recipe(yaml: "architecture: a\nadversarial: {}").adversarial == AdversarialRecipe())
    #expect(try Recipe(yaml: "architecture: a\nadversarial: none").adversarial == nil)
    #expect(try Recipe(yaml: "architecture: a\nadversarial:").adversarial == nil)
  }

  @Test("text of any kind comes back", arguments: texts)
  func text(_ text: String) throws {
    var recipe = Recipe("a", data: DataRecipe(targets: text))
    recipe.configuration = [text: .string(text)]
    recipe.losses = [LossRecipe(.perceptual(PerceptualRecipe(checkpoint: text)))]
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
  }
  private static let texts = [
    "a b", "none", "null", "1", "1e5", "-", "a: b", "#a", "\"", "'", "\\", "{", "\n\t\r", "ä€😀",
    "\u{1}\u{7F}\u{85}\u{2028}\u{FEFF}", "*a", "&a", "!a", "@", "%", " a ", "a#b", "...", "---",
    "y", "~",
  ]

  @Test("equal recipes have equal text, which names every field")
  func canonical() throws {
    var recipe = Recipe("plain-cae", data: DataRecipe(targets: "pictures"))
    recipe.adversarial = AdversarialRecipe()
    let names = recipe.yaml.split(separator: "\n").compactMap {
      $0.split(separator: ":").first?.trimmingCharacters(in: .whitespaces)
    }
    for field in RecipeField.all {
      let name = field.path.split(separator: ".").last.map(String.init) ?? ""
      #expect(names.contains(name))
    }
    recipe.adversarial = nil
    #expect(
      recipe.yaml.hasPrefix(
        """
        architecture: plain-cae
        preset: none
        configuration: none
        scale: none
        from: none
        data:
          targets: pictures
          inputs: none
          degradations: []
          max-invalid-share: 0.1
        batch:
          size: 16
        """))
    #expect(
      recipe.yaml.contains("losses: [{kind: l1, weight: 1}]\nadversarial: none\noptimizer:\n"))
  }

  static let mistakes: [(String, String)] = [
    (
      "architecture: a\nbatch:\n  sise: 3",
      "r.yaml:3: batch.sise: no such field; did you mean batch.size?"
    ),
    ("architecture: a\npatch: 3", "r.yaml:2: patch: no such field; did you mean batch.patch?"),
    (
      "architecture: a\nbatch-size: 3",
      "r.yaml:2: batch-size: no such field; did you mean batch.size?"
    ),
    ("architecture: a\nxyzzyx: 3", "r.yaml:2: xyzzyx: no such field"),
    (
      "architecture: a\noptimiser: {learning-rate: 1}",
      "r.yaml:2: optimiser: no such field; did you mean optimizer?"
    ),
    (
      "architecture: a\n\nbatch: {size: 0}",
      "r.yaml:3: batch.size: expected an integer from 1 to 4096, found 0"
    ),
    (
      "architecture: a\nsteps: many",
      "r.yaml:2: steps: expected an integer from 1 to 1000000000, found many"
    ),
    (
      "architecture: a\nsteps: 1.5",
      "r.yaml:2: steps: expected an integer from 1 to 1000000000, found 1.5"
    ),
    (
      "architecture: a\nsteps: \"5\"",
      "r.yaml:2: steps: expected an integer from 1 to 1000000000, found 5"
    ),
    (
      "architecture: a\noptimizer:\n  learning-rate: nan",
      "r.yaml:3: optimizer.learning-rate: expected a number from 1e-12 to 1000, found nan"
    ),
    (
      "architecture: a\noptimizer:\n  learning-rate: [1]",
      "r.yaml:3: optimizer.learning-rate: expected a number from 1e-12 to 1000, found a list"
    ),
    (
      "architecture: a\nclip-norm: {}",
      "r.yaml:2: clip-norm: expected a number from 1e-09 to 1000000000, or none, found a mapping"
    ),
    (
      "architecture: a\noptimizer: {kind: adan}",
      "r.yaml:2: optimizer.kind: expected one of adam, adamw, sgd, found adan (did you mean adam?)"
    ),
    (
      "architecture: a\nlosses:\n - l1\n - {kind: ssim, weight: -1}",
      "r.yaml:4: losses[1].weight: expected a number from 0 to 1000000, found -1"
    ),
    (
      "architecture: a\nlosses: [l3]",
      "r.yaml:2: losses[0]: expected one of l1, l2, charbonnier, ssim, total-variation, perceptual, "
        + "found l3 (did you mean l1?)"
    ),
    (
      "architecture: a\nlosses: [{kind: l1, wheight: 1}]",
      "r.yaml:2: losses[0]: expected one of kind, weight, found wheight (did you mean weight?)"
    ),
    (
      "architecture: a\nlosses: [{kind: perceptual}]",
      "r.yaml:2: losses[0].checkpoint: expected a checkpoint's path or name, found nothing"
    ),
    (
      "architecture: a\ndata: {degradations: [noise: 25...5]}",
      "r.yaml:2: data.degradations[0].noise: expected a number or a range as 5...25, from 0 to 255, "
        + "found 25...5"
    ),
    (
      "architecture: a\ndata: {degradations: [fog: 1]}",
      "r.yaml:2: data.degradations[0]: expected one of noise, jpeg, blur, found fog"
    ),
    (
      "architecture: a\ndata: images",
      "r.yaml:2: data: expected a mapping of fields, found images"
    ),
    (
      "architecture: a\nbatch: {horizontal-flip: 1}",
      "r.yaml:2: batch.horizontal-flip: expected true or false, found 1"
    ),
    ("steps: 3", "r.yaml: architecture: expected an architecture's name, found nothing"),
    ("", "r.yaml: architecture: expected an architecture's name, found nothing"),
    ("- a", "r.yaml:1: expected fields, found a list"),
    (
      "architecture: a\n\tsteps: 3",
      "r.yaml:2: expected YAML, found a tab character that violates indentation"
    ),
    ("architecture: a\nsteps: 3\nsteps: 4", "r.yaml:2: expected each name once, found steps twice"),
    (
      "architecture: a\n!x architecture: b",
      "r.yaml:2: expected each name once, found architecture twice"
    ),
    ("architecture: &a b\nfrom: *a", "r.yaml:1: expected no anchor (&), found one"),
    ("? [a]\n: b", "r.yaml:1: expected a name, found a list"),
    ("a: b\n---\nc: d", "r.yaml:2: expected YAML, found another document"),
    ("a\u{0}: b", "r.yaml:1: expected YAML, found control characters are not allowed"),
  ]

  @Test("what is wrong is said in one line", arguments: mistakes)
  func refused(_ yaml: String, _ message: String) throws {
    let error = try #require(throws: TrainingError.self) { try Recipe(yaml: yaml, name: "r.yaml") }
    #expect(error.description == message)
  }

  @Test("files that are no recipes")
  func files() throws {
    let folder = try TemporaryFolder()
    func message(_ path: String) -> String {
      do { return "\(try Recipe(contentsOf: path))" } catch { return "\(error)" }
    }
    let missing = folder.file("none.yaml")
    #expect(message(missing) == "\(missing): cannot be read: no such file or directory")
    let bytes = try folder.file("bytes.yaml", [0x61, 0x3A, 0xFF, 0xFE])
    #expect(message(bytes) == "\(bytes): expected a recipe in UTF-8, found other bytes")
    let large = try folder.file("large.yaml", [UInt8](repeating: 0x23, count: 70_000))
    #expect(message(large) == "\(large):1: expected at most 65536 bytes, found more")
  }

  @Test("what does not go together")
  func checks() throws {
    func message(_ change: (inout Recipe) -> Void) -> String {
      var recipe = Recipe("a", data: DataRecipe(targets: "d"))
      change(&recipe)
      do throws(TrainingError) { try recipe.check() } catch { return error.description }
      return "fine"
    }
    #expect(message { _ in } == "fine")
    #expect(
      message { $0.data.targets = "" } == "data.targets: expected a folder (--data), found nothing")
    #expect(
      message { $0.batch.accumulation = 3 }
        == "batch.accumulation: expected a divisor of the batch's size, 16, found 3")
    #expect(message { $0.losses = [] } == "losses: expected one loss at least, found none")
    #expect(
      message { $0.schedule.kind = .step }
        == "schedule.milestones: expected one milestone at least, for a schedule of steps, found none"
    )
    #expect(
      message { $0.batch.size = 0 }.hasSuffix(
        "batch.size: expected an integer from 1 to 4096, found 0"))
    #expect(
      message { $0.optimizer.learningRate = .nan }.contains(
        "optimizer.learning-rate: expected a number from"))
  }

  @Test(
    "flags set fields",
    arguments: [
      ("steps", "5"), ("losses", "l1, {kind: ssim, weight: 0.1}"), ("losses", "[l2]"),
      ("milestones", "10,20"), ("degradations", "noise: 5...25, jpeg: 30"), ("data", "a: #b"),
      ("clip-norm", "none"), ("config", "{features: [8, 16]}"), ("adversarial", "hinge"),
      ("horizontal-flip", "false"),
    ])
  func flags(_ flag: String, _ text: String) throws {
    var recipe = Recipe("a", data: DataRecipe(targets: "d"))
    recipe.clipNorm = 3
    let before = recipe
    let field = try #require(RecipeField.all.first { $0.flag == flag })
    try field.set(flag: text, in: &recipe)
    #expect(recipe != before)
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
  }

  @Test("a flag's mistake names the flag")
  func flagMistakes() throws {
    var recipe = Recipe("a", data: DataRecipe(targets: "d"))
    let error = try #require(throws: TrainingError.self) {
      let field = try #require(RecipeField.all.first { $0.flag == "losses" })
      try field.set(flag: "l1, {kind: ssim, weight: x}", in: &recipe)
    }
    #expect(
      error.description == "--losses[1].weight: expected a number from 0 to 1000000, found x")
  }

  @Test("names are unique")
  func names() {
    #expect(Set(RecipeField.all.map(\.path)).count == RecipeField.all.count)
    #expect(Set(RecipeField.all.map(\.flag)).count == RecipeField.all.count)
  }

  @Test("the recipes of the zoo are sound")
  func zoo() throws {
    let folder = SharedFolder.repository.appending(path: "checkpoints/recipes")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    #expect(names.count >= 7)
    for name in names {
      var recipe = try Recipe(contentsOf: folder.appending(path: name).path)
      recipe.data.targets = "pictures"
      try recipe.check()
    }
  }
}
