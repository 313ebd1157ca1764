import AviaryFormats
import AviaryCheckpoint
import Aviary
import AviaryGraph
import AviaryImage
import AviaryTestSupport
import AviaryTraining
import Foundation
import Synchronization
import Testing

/// A training from a folder of images to a checkpoint, and what is left on the way.
@Suite struct TrainingSessionTests {
  @Test("a run leaves its checkpoints, its best, its model, its logs and its samples")
  func whole() throws {
    let example = try TrainingExample()
    let steps = Mutex<[Int]>([])
    let figures = Mutex<[Double]>([])
    let end = try example.train(observer: { event in
      switch event {
      case .step(let step): steps.withLock { $0.append(step.step) }
      case .validated(let found): figures.withLock { $0.append(found.evaluation.mean.psnr) }
      case .message, .saved: break
      }
    })
    guard case .finished(let path) = end else {
      Issue.record("expected finished, found \(end)")
      return
    }
    #expect(steps.withLock(\.self) == Array(1...6))
    let run = RunFolder(example.folder.file("run"))
    #expect(run.checkpoints.map(\.step) == [4, 6])
    let names = try FileManager.default.contentsOfDirectory(atPath: run.path)
    #expect(Set(names).isSuperset(of: ["best.h5", "model.h5", "log.csv", "samples"]))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.samples).sorted()
        == ["step-000003-a.png", "step-000006-a.png"])

    // The model is a checkpoint like any other, and its card's figure is what it measures.
    let file = try CheckpointFile(path)
    #expect(file.training == nil)
    #expect(file.card.trainingData == "2 images of data")
    #expect(file.card.training?.steps == 6)
    #expect(try Recipe(yaml: file.card.training?.recipe ?? "").steps == 6)
    let quality = try #require(file.card.quality.first)
    #expect(quality.set == "data")
    #expect(quality.measured == "Y of BT.601, border = scale, bicubic of MATLAB")
    #expect(quality.psnr == figures.withLock(\.last))
    let found = try Evaluation(
      Model(checkpoint: path), originals: example.folder.file("data"), scale: 2)
    #expect(abs(found.mean.psnr - quality.psnr) < 1e-4)
    // The checkpoint of the last step is about the same weights.
    let last = try CheckpointFile(run.checkpoint(step: 6))
    #expect(last.storedHash == file.storedHash)
    #expect(last.training?.progress?.step == 6)
    #expect(last.training?.progress?.samples == 12)
  }

  @Test(
    "ten steps, and six, a new process's worth of forgetting, and four give the same weights",
    arguments: ["plain", "everything"])
  func resuming(kind: String) throws {
    let example = try TrainingExample()
    func change(_ recipe: inout Recipe, _ folder: String) {
      recipe.steps = 10
      recipe.saving.folder = folder
      guard kind == "everything" else { return }
      recipe.batch.accumulation = 2
      recipe.losses = [LossRecipe(.l1), LossRecipe(.totalVariation, weight: 0.1)]
      recipe.clipNorm = 0.5
      recipe.optimizer.kind = .adamw
      recipe.optimizer.weightDecay = 0.01
      recipe.schedule.kind = .oneCycle
      recipe.batch.workers = 2
      var adversary = AdversarialRecipe()
      adversary.configuration = ["features": 4, "layers": 1]
      adversary.start = 4
      recipe.adversarial = adversary
    }
    let (whole, parted) = (example.folder.file("whole"), example.folder.file("parted"))
    _ = try example.train { change(&$0, whole) }
    let asked = Mutex(0)
    let end = try example.train {
      change(&$0, parted)
    } signal: {
      asked.withLock {
        $0 += 1
        return $0 == 6 ? 15 : nil
      }
    }
    guard case .interrupted(15, let checkpoint) = end else {
      Issue.record("expected interrupted, found \(end)")
      return
    }
    #expect(checkpoint == RunFolder(parted).checkpoint(step: 6))
    #expect(RunFolder(parted).last == checkpoint)
    let messages = Mutex<[String]>([])
    _ = try example.train(resuming: checkpoint) {
      change(&$0, parted)
    } observer: {
      if case .message(let line) = $0 { messages.withLock { $0.append(line) } }
    }
    let lines = messages.withLock(\.self)
    #expect(
      lines.first == "resumed at step 6: the weights will be those of an uninterrupted training")
    // And where the time went.
    #expect(lines.count == 2)
    #expect(lines.last?.hasPrefix("steps were ") == true)
    #expect(lines.last?.hasSuffix(" % waiting for images") == true)
    let models = try [whole, parted].map { try CheckpointFile(RunFolder($0).model) }
    #expect(models[0].storedHash != nil)
    #expect(models[0].storedHash == models[1].storedHash)
    // The weights under the average, too, and all that the optimisers remember.
    let states = try [whole, parted].map {
      try #require(CheckpointFile(RunFolder($0).checkpoint(step: 10)).training)
    }
    #expect(
      try states[0].weights?.loaded().map(\.tensor) == states[1].weights?.loaded().map(\.tensor))
    #expect(
      try states[0].optimizer?.tensors.loaded().map(\.tensor)
        == states[1].optimizer?.tensors.loaded().map(\.tensor))
    #expect(
      try states[0].adversary?.weights.loaded().map(\.tensor)
        == states[1].adversary?.weights.loaded().map(\.tensor))
    #expect((states[0].adversary != nil) == (kind == "everything"))
  }

  @Test("going on otherwise is allowed, and said")
  func inexact() throws {
    let example = try TrainingExample()
    _ = try example.train()
    let last = RunFolder(example.folder.file("run")).last
    let messages = Mutex<[String]>([])
    _ = try example.train(resuming: last) {
      $0.steps = 7
      $0.threads = 2
      $0.optimizer.learningRate = 5e-4
      $0.saving.keep = 5
    } observer: {
      if case .message(let line) = $0 { messages.withLock { $0.append(line) } }
    }
    let line = messages.withLock(\.first) ?? ""
    #expect(
      line.hasPrefix("resumed at step 6; not the very weights of an uninterrupted training: "))
    for part in [
      "optimizer.learning-rate 0.0005, before 0.001", "steps 7, before 6", "threads 2, before 1",
    ] {
      #expect(line.contains(part), "\(line)")
    }
  }

  @Test("a network for x3 begins with one for x2 but for its tail")
  func from() throws {
    let example = try TrainingExample()
    func change(_ recipe: inout Recipe) {
      recipe.architecture = "fusion-cae"
      recipe.configuration = ["channels": 1, "features": [4, 4], "blocks": [1, 1]]
      recipe.steps = 2
    }
    _ = try example.train { change(&$0) }
    let messages = Mutex<[String]>([])
    let model = example.folder.file("run/model.h5")
    let end = try example.train {
      change(&$0)
      $0.scale = 3
      $0.batch.patch = 8
      $0.from = model
      $0.saving.folder = example.folder.file("x3")
    } observer: {
      if case .message(let line) = $0 { messages.withLock { $0.append(line) } }
    }
    let line = messages.withLock(\.first) ?? ""
    #expect(line.hasPrefix("\(model): "))
    #expect(line.hasSuffix("tensors taken; begun anew: tail.weight, tail.bias"), "\(line)")
    guard case .finished(let path) = end else { return }
    let card = try CheckpointFile(path).card
    #expect(card.provenance.map(\.file) == ["model.h5"])
  }

  @Test("a perceptual loss takes a checkpoint by its name")
  func perceptual() throws {
    let example = try TrainingExample()
    _ = try example.train()
    let losses = [LossRecipe(.perceptual(PerceptualRecipe(checkpoint: "model")))]
    let end = try example.train(checkpoints: [example.folder.file("run")]) {
      $0.saving.folder = example.folder.file("second")
      $0.losses = losses
      $0.steps = 1
    }
    guard case .finished = end else {
      Issue.record("expected finished, found \(end)")
      return
    }
    let error = #expect(throws: AviaryError.self) {
      _ = try example.train(checkpoints: [example.folder.file("run")]) {
        $0.saving.folder = example.folder.file("third")
        $0.losses = [LossRecipe(.perceptual(PerceptualRecipe(checkpoint: "modl")))]
      }
    }
    #expect(error == .noSuchModel("modl", nearest: "model"))
  }

  @Test("a number that is not finite stops the training and leaves the last good checkpoint")
  func notFinite() throws {
    let example = try TrainingExample()
    let error = #expect(throws: TrainingError.self) {
      _ = try example.train {
        // Far beyond what any network can bear.
        $0.optimizer = OptimizerRecipe(learningRate: 1_000)
        $0.optimizer.kind = .sgd
        $0.schedule.kind = .constant
        $0.losses = [LossRecipe(.l2)]
        $0.validation.data = nil
        $0.saving.every = 1
        $0.steps = 50
      }
    }
    let text = try #require(error).description
    // It says the step, and everything before that step is there.
    let last = try #require(RunFolder(example.folder.file("run")).checkpoints.last)
    #expect(text.hasPrefix("step \(last.step + 1): "), "\(text)")
    #expect(text.hasSuffix(" (the last good checkpoint is \(last.path))"), "\(text)")
    #expect(try Model(checkpoint: last.path).notFinite.isEmpty)
  }

  @Test("what cannot be is said before anything is written")
  func errors() throws {
    let example = try TrainingExample()
    func message(
      resuming checkpoint: String? = nil, _ change: (inout Recipe) -> Void
    ) throws -> String {
      let error = #expect(throws: (any Error).self) {
        _ = try example.train(resuming: checkpoint) {
          $0.saving.folder = example.folder.file("none")
          change(&$0)
        }
      }
      return "\(try #require(error))"
    }
    let data = example.folder.file("data")
    #expect(
      try message { $0.batch.patch = 100 }
        == "\(data): expected images of at least 100x100 pixels, found at most 40x40 (a.png)")
    #expect(
      try message { $0.validation.data = data + "x" }
        == "\(data)x: contains no \(ImageFormat.list(ImageFormat.readable)) images")
    #expect(
      try message { $0.from = "bicubic" }
        == "from: expected weights of the network's names and shapes, found none among the 0 of bicubic"
    )
    #expect(
      try message {
        $0.adversarial = AdversarialRecipe(); $0.adversarial?.architecture = "vdsr"
      }
        == "adversarial.architecture: expected a discriminator, found vdsr, of kind 'restoration'")
    // Losses and the discriminator are planned before they are needed, however late that is.
    let small = try message {
      $0.adversarial = AdversarialRecipe()
      $0.adversarial?.start = 100_000
    }
    #expect(
      small.hasPrefix("batch.patch: the discriminator cannot take results of 16x16 (layers.11: "),
      "\(small)")
    #expect(small.hasSuffix("); use another patch"))
    #expect(
      try message {
        $0.batch.patch = 8
        $0.losses = [LossRecipe(.l1), LossRecipe(.ssim)]
      }
        == "batch.patch: the loss ssim cannot take results of 8x8 (its window is 11x11); use another "
        + "patch")
    #expect(!FileManager.default.fileExists(atPath: example.folder.file("none")))

    _ = try example.train()
    let run = RunFolder(example.folder.file("run"))
    let last = try #require(run.last)
    #expect(
      try message { $0.saving.folder = run.path }
        == "\(run.path): expected a folder without checkpoints, or that the training there is resumed,"
        + " found checkpoints up to step 6")
    #expect(
      try message(resuming: last) {
        $0.architecture = "plain-cae"
        $0.configuration = nil
      }
        == "\(last): expected a checkpoint of plain-cae to resume from, found one of residual-cae")
    #expect(
      try message(resuming: last) { $0.configuration = ["channels": 1, "features": [4, 6]] }
        .contains("encoder.3.weight: expected shape [6, 4, 3, 3], found [8, 4, 3, 3]"))
    #expect(
      try message(resuming: run.model) { _ in }
        == "\(run.model): expected the state of a training to resume, found weights alone")
    #expect(
      try message(resuming: last) { $0.steps = 5 }
        == "steps: expected at least the 6 that are done, found 5")
  }
}
