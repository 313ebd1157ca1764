internal import ArgumentParser
internal import Aviary
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor
internal import AviaryTestSupport

/// Prints where the time of a network goes, step by step of its plan: for whoever makes it faster.
struct LayersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers", abstract: "Times each step of a network; any of the registry.")

  @Argument(help: "The architecture.")
  var network: String

  @Argument(help: "The input's shape, such as 1x3x256x256.")
  var size: String

  @Option(help: "Members of the configuration, as JSON.")
  var config = "{}"

  @Option(help: "Runs; of each step the median and the fastest are shown.")
  var runs = 21

  @Option(help: "Threads.")
  var threads = 2

  @Flag(help: "Without Winograd's algorithm.")
  var exact = false

  @Flag(help: "Convolutions in bfloat16 where that is faster.")
  var bfloat16 = false

  @Flag(
    help: """
      Times the ways to do each layer, and runs the network as they tell and as estimates tell, in \
      turns; shows both.
      """)
  var measured = false

  @Flag(help: "Forward and back, as in training.")
  var training = false

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: at least 1 expected, \(runs) found") }
    guard shape.count == 4, shape.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("size: four numbers as in 1x3x256x256 expected, \(size) found")
    }
  }

  var shape: [Int] { size.split(separator: "x").map { Int($0) ?? 0 } }

  func run() throws {
    let (parts, weights) = try Zoo(folders: []).untrained(
      network, configuration: JSON(parsing: config[...]))
    let graph = parts.graph
    let options = PlanOptions(exact: exact, precision: bfloat16 ? .bfloat16 : .float32)
    let engine = try Engine(threads: threads)
    let input = randomTensor(shape, seed: 2)
    if measured {
      let sample = Sample(graph: graph, weights: weights, input: input)
      return try compareChoices(sample, options, engine)
    }
    let inputs = [graph.inputs[0].name: input]
    let steps: [PlanStep]
    var times: [[Double]]
    func add(_ durations: [Duration]) {
      for (index, duration) in durations.enumerated() {
        times[index].append(duration.milliseconds)
      }
    }
    if training {
      var plan = try TrainingPlan(
        graph, inputShapes: [shape], options: options, engine: engine)
      steps = plan.steps
      times = steps.map { _ in [] }
      for _ in 0..<runs { try add(plan.durations(inputs, parameters: weights)) }
    } else {
      var plan = try Plan(
        graph, weights: PreparedWeights(weights), inputShapes: [shape],
        options: options, engine: engine)
      steps = plan.steps
      times = steps.map { _ in [] }
      for _ in 0..<runs { try add(plan.durations(inputs)) }
    }
    // The fastest is what a machine would take that does nothing else.
    let fastest = times.map { $0.min() ?? .nan }
    let total = fastest.reduce(0, +)
    print("| step | operation | by | result | median, ms | fastest, ms | % |")
    print("|---|---|---|---|---|---|---|")
    for (index, step) in steps.enumerated() {
      let cells = [
        step.name, step.operation, step.implementation,
        step.shape.map(String.init).joined(separator: "x"), times[index].median.text(2),
        fastest[index].text(2), (100 * fastest[index] / total).text(1),
      ]
      print("| \(cells.joined(separator: " | ")) |")
    }
    let medians = times.map(\.median).reduce(0, +)
    print("| total | | | | \(medians.text(2)) | \(total.text(2)) | 100 |")
  }
}
