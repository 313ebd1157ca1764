import AviaryCheckpoint
import Aviary
import AviaryCompute
import AviaryThreads
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import AviaryTraining
import Synchronization
import Testing

/// The core of a training: a batch in parts, and over processes, is one batch.
@Suite struct TrainerTests {
  /// Threads that play processes.
  private final class Team: Sendable {
    struct Round {
      var values: [[Double]?]
      var tensors: [[String: Tensor]?]
      var arrived = 0
      var left = 0
    }
    let size: Int
    let round: Monitor<Round>

    init(_ size: Int) {
      self.size = size
      round = Monitor(
        Round(
          values: Array(repeating: nil, count: size), tensors: Array(repeating: nil, count: size)))
    }

    /// Leaves something and gives what all have left, once all have.
    func exchange<R>(_ leave: (inout Round) -> Void, _ take: (Round) -> R) -> R {
      round.wait { $0.left == 0 ? () : nil }
      round.withLock {
        leave(&$0)
        $0.arrived += 1
      }
      return round.wait { round in
        guard round.arrived == self.size || round.left > 0 else { return nil }
        let result = take(round)
        round.left += 1
        round.arrived = 0
        if round.left == self.size { round.left = 0 }
        return result
      }
    }
  }

  private struct Member: Communicator {
    let team: Team
    let rank: Int
    var size: Int { team.size }

    func average(_ values: inout [Double]) {
      let mine = values
      values = team.exchange {
        $0.values[rank] = mine
      } _: { round in
        mine.indices.map { i in
          round.values.reduce(0) { $0 + ($1?[i] ?? .nan) } / Double(size)
        }
      }
    }

    func average(_ tensors: inout [String: Tensor], _ names: [String]) throws {
      let mine = tensors
      let all = team.exchange {
        $0.tensors[rank] = mine
      } _: {
        $0.tensors
      }
      for name in names {
        let parts = all.map { $0?[name]?.floats ?? [] }
        tensors[name] = try Tensor(
          shape: mine[name]?.shape ?? [],
          parts[0].indices.map { i in parts.reduce(0) { $0 + $1[i] } / Float(size) })
      }
    }

    func broadcast(_ tensors: inout [String: Tensor], _ names: [String]) {}
    func barrier() {}
    // Only whole runs exchange words.
    func gather(_ text: String) throws -> [String] { throw CancellationError() }
  }

  private func trainer(
    batch: Int, parts: Int = 1, _ communicator: any Communicator = OneProcess()
  ) throws -> Trainer {
    let network = try Registry.builtin["residual-cae"].network(
      ["channels": 1, "features": [4, 8]])
    let graph = network.graph
    let engine = try Engine(threads: 1)
    var settings = Trainer.Settings()
    settings.parts = parts
    return try Trainer(
      graph, batchShape: [batch / parts / communicator.size, 1, 8, 8],
      parameters: try Initializer(graph, .pytorch, seed: 3).parameters(),
      losses: try CombinedLoss(
        [LossRecipe(.l2)], picture: network.picture, engine: engine,
        features: { _ in throw CancellationError() }),
      optimizer: try Optimizer(
        OptimizerRecipe(), parameters: graph.parameters.map { ($0.name, $0.shape) }),
      settings: settings, communicator: communicator, engine: engine)
  }

  /// Patterns for some samples of a batch of four.
  private func batch(_ samples: Range<Int>) throws -> Batch {
    func tensor(_ seed: UInt64) throws -> Tensor {
      var values: [Float] = []
      for sample in samples {
        var generator = SeededGenerator(seed: seed, UInt64(sample))
        for _ in 0..<64 { values.append(Float(generator.unit())) }
      }
      return try Tensor(shape: [samples.count, 1, 8, 8], values)
    }
    return Batch(input: try tensor(1), target: try tensor(2))
  }

  private func expectAlike(_ a: [String: Tensor], _ b: [String: Tensor]) {
    for (name, tensor) in a {
      let other = b[name]?.floats ?? []
      for (x, y) in zip(tensor.floats, other) {
        #expect(abs(x - y) <= 1e-5, "\(name): \(x), \(y)")
      }
    }
  }

  @Test("a batch in two parts is a batch")
  func accumulation() throws {
    var whole = try trainer(batch: 4)
    var parted = try trainer(batch: 4, parts: 2)
    for _ in 0..<3 {
      let one = try whole.step([try batch(0..<4)], rate: 1e-3)
      let other = try parted.step([try batch(0..<2), try batch(2..<4)], rate: 1e-3)
      #expect(abs(one.loss - other.loss) <= 1e-6)
      #expect(abs(one.gradientNorm - other.gradientNorm) <= 1e-5)
    }
    expectAlike(whole.parameters, parted.parameters)
  }

  /// A trainer of a network with a normalisation.
  private func normalised(
    batch: Int, parts: Int, weight: Float? = nil
  ) throws -> Trainer {
    let graph = try Graph(channels: 1) { x in
      [
        x.convolution("a", 2, kernel: 3).applying(.batchNormalization(BatchNormalization()))
          .convolution("b", 1, kernel: 3)
      ]
    }
    let engine = try Engine(threads: 1)
    var parameters = try Initializer(graph, .pytorch, seed: 3).parameters()
    if let weight {
      unsafe parameters["b.weight"]?.withMutableFloats { unsafe $0[3] = weight }
    }
    var settings = Trainer.Settings()
    settings.parts = parts
    return try Trainer(
      graph, batchShape: [batch / parts, 1, 8, 8], parameters: parameters,
      losses: try CombinedLoss(
        [LossRecipe(.l2)], picture: ImageSpec(.gray), engine: engine,
        features: { _ in throw CancellationError() }),
      optimizer: try Optimizer(
        OptimizerRecipe(),
        parameters: graph.parameters.filter { $0.role == .weight }.map { ($0.name, $0.shape) }),
      settings: settings, engine: engine)
  }

  @Test("running statistics follow all parts of a batch")
  func statistics() throws {
    var parted = try normalised(batch: 4, parts: 2)
    _ = try parted.step([try batch(0..<2), try batch(2..<4)], rate: 1e-3)
    let halves = try [0..<2, 2..<4].map { samples in
      var half = try normalised(batch: 2, parts: 1)
      _ = try half.step([try batch(samples)], rate: 1e-3)
      return half.parameters
    }
    let names = parted.graph.parameters.map(\.name).filter { $0.contains("running") }
    #expect(names.count == 2)
    for name in names {
      let found = try #require(parted.parameters[name]).floats
      let parts = try halves.map { try #require($0[name]).floats }
      #expect(parts[0] != parts[1])
      for (i, value) in found.enumerated() {
        #expect(abs(value - (parts[0][i] + parts[1][i]) / 2) <= 1e-6, "\(name)")
      }
    }
  }

  @Test("parameters that are not finite are not to be kept", arguments: [Float.nan, .infinity])
  func notFinite(_ value: Float) throws {
    let good = try normalised(batch: 2, parts: 1)
    try good.checkParameters()
    let bad = try normalised(batch: 2, parts: 1, weight: value)
    var message: String?
    do { try bad.checkParameters() } catch { message = error.description }
    #expect(message == "step 0: b.weight: expected finite numbers, found others")
  }

  @Test("two processes with half of a batch each are one with the whole, and have the same bits")
  func processes() throws {
    var whole = try trainer(batch: 4)
    for _ in 0..<3 { _ = try whole.step([try batch(0..<4)], rate: 1e-3) }
    let team = Team(2)
    let found = Mutex<[Int: ([String: Tensor], Bool)]>([:])
    let threads = (0..<2).map { rank in
      BackgroundTask<Void, Never>.start {
        do {
          var trainer = try self.trainer(batch: 4, Member(team: team, rank: rank))
          var isLast = false
          for step in 0..<3 {
            // One of them wishes to stop, and both are told.
            isLast = try trainer.step(
              [try self.batch(2 * rank..<2 * rank + 2)], rate: 1e-3,
              wishesToStop: rank == 1 && step == 2
            ).isLast
          }
          let result = (trainer.parameters, isLast)
          found.withLock { $0[rank] = result }
        } catch {
          Issue.record(error)
        }
      }
    }
    for thread in threads { thread.join() }
    let results = found.withLock(\.self)
    let first = try #require(results[0]), second = try #require(results[1])
    #expect(first.0 == second.0)
    #expect(first.1 && second.1)
    expectAlike(whole.parameters, first.0)
  }
}
