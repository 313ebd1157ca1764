/// What a training needs to go on, beside the weights that a checkpoint is about.
///
/// A file converted from another framework's training checkpoint has the optimiser's state alone; one
/// of Aviary's own training has all of it.
public struct TrainingState: Sendable {
  /// How far the training is, and by what it was made; nil where another program trained.
  public var progress: TrainingProgress?
  /// The weights that the optimiser works on, with running statistics and counters, under the names
  /// and in the shapes of the checkpoint's own; nil where those are the same. A checkpoint's own are
  /// the moving average of these.
  public var weights: TensorSource?
  /// What the optimiser remembers.
  public var optimizer: OptimizerState?
  /// The network that is trained against this one.
  public var adversary: Adversary?

  /// A discriminator in training.
  public struct Adversary: Sendable {
    /// All its parameters under their canonical names.
    public var weights: TensorSource
    /// What its optimiser remembers; nil before it began.
    public var optimizer: OptimizerState?

    /// A discriminator.
    public init(weights: TensorSource, optimizer: OptimizerState?) {
      (self.weights, self.optimizer) = (weights, optimizer)
    }
  }

  /// A state.
  public init(
    progress: TrainingProgress? = nil, weights: TensorSource? = nil,
    optimizer: OptimizerState? = nil, adversary: Adversary? = nil
  ) {
    self.progress = progress
    self.weights = weights
    self.optimizer = optimizer
    self.adversary = adversary
  }

  /// All tensors of the state, for those who check them.
  var tensors: [TensorDescription] {
    [weights, optimizer?.tensors, adversary?.weights, adversary?.optimizer?.tensors]
      .flatMap { $0?.descriptions ?? [] }
  }

  /// Whether nothing is in it.
  var isEmpty: Bool {
    progress == nil && weights == nil && optimizer == nil && adversary == nil
  }
}
