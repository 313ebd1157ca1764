internal import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTraining

/// What a training saves and measures along the way: rank 0 only.
extension TrainingSession {
  /// Measures the averaged weights, writes samples, and keeps the best weights.
  func validate() throws {
    guard communicator.rank == 0, let validation else { return }
    let model = Model(network, weights: named(trainer.result))
    let evaluation = try validation.evaluate(model)
    let mean = evaluation.mean
    let samples = try validation.writeSamples(model, step: step, to: folder)
    let quality = Card.Quality(
      set: validation.setName, scale: data.geometry.scale, psnr: mean.psnr, ssim: mean.ssim,
      measured: validation.measured)
    self.quality = quality
    try opened?.log.append(
      step: step,
      RunLog.Quality(
        psnr: mean.psnr, ssim: mean.ssim, bicubicPSNR: mean.bicubic.psnr,
        bicubicSSIM: mean.bicubic.ssim), samples: samples)
    // NaN is never the best; infinity, for a perfect result, cannot be written in JSON.
    let isBest = mean.psnr.isFinite && mean.psnr > progress.best?.figure ?? -.infinity
    if isBest {
      try file(of: trainer.result, quality).write(to: folder.best)
      progress.best = TrainingProgress.Best(figure: mean.psnr, step: step)
    }
    observer(
      .validated(
        Validated(
          step: step, evaluation: evaluation, isBest: isBest, samples: samples)))
  }

  /// Writes a checkpoint to resume from, and removes the oldest.
  ///
  /// - Throws: `CheckpointError`; `TrainingError.notFinite` for weights that nobody could resume
  ///   from, in which case earlier checkpoints stay intact.
  func save() throws {
    saved = (.now, step)
    // Check before removing the oldest checkpoint, which may be the last good one.
    do {
      try trainer.checkParameters()
    } catch { throw advised(error) }
    guard communicator.rank == 0 else { return }
    var file = file(of: trainer.result, nil)
    file.training = TrainingState(
      progress: progress,
      weights: trainer.average == nil ? nil : source(trainer.parameters),
      optimizer: trainer.optimizer.state(rate: rates.network.at(step - 1)),
      adversary: trainer.adversary.map { adversary in
        TrainingState.Adversary(
          weights: TensorSource(NamedTensors(adversary.discriminator.parameters.sortedByName)),
          optimizer: adversary.optimizer.state(rate: rates.discriminator?.at(step - 1) ?? 0))
      })
    let path = folder.checkpoint(step: step)
    try file.write(to: path)
    folder.prune(keep: recipe.saving.keep)
    observer(.saved(path: path, step: step))
  }

  /// Writes the trained network.
  ///
  /// - Throws: `TrainingError.training` if the processes did not arrive at the same weights, as may
  ///   happen on different processors.
  func finish() throws {
    if communicator.size > 1 {
      let hash = ContentHash.of(named(trainer.result))
      let all = try communicator.gather(hash)
      if let other = all.first(where: { $0 != all[0] }) {
        throw TrainingError.training(
          "processes", expected: "the weights of rank 0 (\(all[0])) in all", found: other)
      }
    }
    if communicator.rank == 0 {
      // A training that had already finished when it was resumed has not been measured.
      if quality == nil { try validate() }
      try file(of: trainer.result, quality).write(to: folder.model)
      observer(.saved(path: folder.model, step: step))
    }
    try communicator.barrier()
  }

  /// Weights as a checkpoint without the state of the training.
  private func file(of weights: [String: Tensor], _ quality: Card.Quality?) -> CheckpointFile {
    var card = card
    // JSON has no infinity, which is the figure of a perfect result.
    card.quality = [quality].compactMap(\.self).filter(\.psnr.isFinite)
    card.training = Card.Training(
      recipe: recipe.published.yaml, steps: step, seed: recipe.seed, fingerprint: data.fingerprint,
      program: Aviary.versionLine)
    return StoredModel(network, weights: source(weights), card: card).checkpoint
  }

  /// Parameters in the graph's order.
  private func named(_ parameters: [String: Tensor]) -> NamedTensors {
    NamedTensors(
      network.graph.parameters.compactMap { parameter in
        parameters[parameter.name].map { (parameter.name, $0) }
      })
  }

  /// Descriptions of the parameters, in the graph's order.
  private func source(_ parameters: [String: Tensor]) -> TensorSource {
    let tensors = named(parameters)
    let counters = Set(
      network.graph.parameters.filter { $0.role == .nonPersistent }.map(\.name))
    return TensorSource(
      tensors.map { name, tensor in
        TensorDescription(
          name: name, shape: tensor.shape, elementType: tensor.elementType,
          isNonPersistent: counters.contains(name))
      }
    ) { (position) throws(CheckpointError) in tensors[position].tensor }
  }
}

extension [String: Tensor] {
  /// The tensors sorted by name, so that equal contents give equal files.
  fileprivate var sortedByName: [(String, Tensor)] {
    sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
