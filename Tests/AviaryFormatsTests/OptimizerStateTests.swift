import AviaryCheckpoint
import AviaryContainers
import AviaryFormats
import AviaryTensor
import AviaryTestSupport
import Testing

/// Optimisers' states in PyTorch's and Keras's files, against what the frameworks say is in them.
@Suite struct OptimizerStateTests {
  struct Expected: Decodable {
    var algorithm: String?
    var step: Int?
    var rates: [Double]
    var tensors: [String: Fixture.Numbers]
  }

  @Test(arguments: ["torch", "keras"])
  func statesAreThoseOfTheFrameworks(framework: String) throws {
    let files: [String: Expected] = try Fixture.decoded("optimizer/\(framework).json")
    #expect(files.count == (framework == "torch" ? 7 : 8))
    for (file, expected) in files {
      let read = try WeightsFile.read(Fixture.path("optimizer/" + file))
      let state = try #require(read.optimizer, "\(file)")
      #expect(state.algorithm == expected.algorithm, "\(file)")
      #expect(state.step == expected.step, "\(file)")
      #expect(state.groups.map { $0.hyperparameters["lr"] } == expected.rates, "\(file)")
      #expect(state.tensors.names.sorted() == expected.tensors.keys.sorted(), "\(file)")
      for (name, tensor) in try state.tensors.loaded() {
        #expect(tensor.shape == expected.tensors[name]?.shape, "\(file): \(name)")
        #expect(tensor.elementType == .float32, "\(file): \(name)")
        #expect(tensor.floats == expected.tensors[name]?.values.map(\.value), "\(file): \(name)")
      }
    }
  }

  @Test func groupsKeepTheirHyperparameters() throws {
    let adam = try #require(try WeightsFile.read(Fixture.path("optimizer/adam.pt")).optimizer)
    #expect(
      adam.groups == [
        OptimizerState.Group(
          hyperparameters: [
            "lr": 2e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0, "amsgrad": 0,
            "maximize": 0, "capturable": 0, "differentiable": 0, "decoupled_weight_decay": 0,
          ],
          parameters: [
            "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "conv3.weight",
            "conv3.bias",
          ])
      ])
    let named = try #require(try WeightsFile.read(Fixture.path("optimizer/named.pt")).optimizer)
    #expect(
      named.groups.map(\.parameters) == [
        ["conv3.bias", "conv3.weight", "conv2.bias", "conv2.weight"]
      ])
    let keras = try #require(try WeightsFile.read(Fixture.path("optimizer/two.h5")).optimizer)
    #expect(keras.groups[0].hyperparameters["eps"] == 1e-7)
    #expect(keras.groups[0].hyperparameters["beta2"] == 0.999)
  }

  @Test func aPrefixIsPutBackOnTheStateToo() throws {
    let file = try WeightsFile.read(Fixture.path("optimizer/lightning.pt"))
    let state = try #require(file.withPrefix.optimizer)
    #expect(state.tensors.names.first == "model.conv1.weight.step")
    #expect(state.groups[0].parameters.first == "model.conv1.weight")
  }

  @Test(
    arguments: [
      (
        "bad-wrong_shape.pt",
        "conv3.weight.exp_avg: expected shape [1, 2, 3, 3], found [2, 1, 3, 3]"
      ),
      ("bad-out_of_range.pt", "parameter 6 is none of the 6, or stands there twice"),
      ("bad-twice.pt", "parameter 5 is none of the 6, or stands there twice"),
      ("bad-no_group.pt", "state of parameter 6, which is in no group"),
      ("bad-cycle.pt", "conv1.weight.0: expected a tensor, found none"),
      ("bad-circle.pt", "expected a dictionary, found none"),
      ("bad-no_groups.pt", "expected groups of parameters, found none"),
      ("bad-short.pt", "expected 6 parameters, found 5"),
      ("bad-slot_name.pt", "conv1.weight: a slot named 'a/b'"),
      ("bad-huge.pt", "conv1.weight.step: expected a tensor, found none"),
    ])
  func whatMakesNoSenseIsLeftAsideWithTheReason(file: String, reason: String) throws {
    let read = try WeightsFile.read(Fixture.path("optimizer/" + file))
    #expect(read.tensors.count == 6)
    #expect(read.optimizer == nil)
    #expect(read.unwrapping.ignored == ["optimizer (a dictionary of 2): \(reason)"])
  }

  @Test(
    arguments: [
      (
        "bad-shape.h5",
        "optimizer_weights (13 tensors): conv2.bias.exp_avg_sq: expected shape [2], found [3]; "
          + "the model's order may be another"
      ),
      (
        "bad-momentum.weights.h5",
        "optimizer (8 tensors): expected a rate and a momentum, found none"
      ),
      ("rms.keras", "optimizer (8 tensors): expected adam, adamw or sgd, found rmsprop"),
    ])
  func kerasStatesThatAreNotUnderstoodAreLeftAside(file: String, reason: String) throws {
    let read = try WeightsFile.read(Fixture.path("optimizer/" + file))
    #expect(read.optimizer == nil)
    #expect(read.unwrapping.ignored.first == reason)
  }

  @Test func checkpointsKeepItOutsideTheContentHash() throws {
    let folder = try TemporaryFolder()
    let read = try WeightsFile.read(Fixture.path("optimizer/adam.pt"))
    let state = try #require(read.optimizer)
    let path = folder.file("a.h5")
    let hash = try CheckpointFile(tensors: read.tensors, training: TrainingState(optimizer: state))
      .write(to: path)
    #expect(try hash == ContentHash.of(read.tensors))
    let file = try CheckpointFile(path)
    try file.verify(path)
    let found = try #require(file.training?.optimizer)
    #expect(found.algorithm == "adam")
    #expect(found.step == 2)
    #expect(found.groups == state.groups)
    #expect(found.tensors.names == state.tensors.names)
    for (position, name) in found.tensors.names.enumerated() {
      #expect(try found.tensors.tensor(at: position) == state.tensors.tensor(name))
    }
    // The same content is the same bytes.
    try file.write(to: folder.file("b.h5"))
    #expect(try WeightsFile.sha256(folder.file("b.h5")) == WeightsFile.sha256(path))
  }

  @Test func aStateOfOtherParametersIsLost() throws {
    let read = try WeightsFile.read(Fixture.path("optimizer/adam.pt"))
    var state = try #require(read.optimizer)
    let descriptions = [
      TensorDescription(name: "conv1.bias.step", shape: [1 << 40, 1 << 40], elementType: .float32),
      TensorDescription(name: "conv1.bias.exp_avg", shape: [3], elementType: .float32),
      TensorDescription(name: "conv9.bias.exp_avg", shape: [2], elementType: .float32),
    ]
    state.tensors = TensorSource(descriptions) { _ throws(CheckpointError) in
      throw .cannotRead(path: "", reason: "not asked for")
    }
    let (left, lost) = state.following(from: read.tensors, to: read.tensors)
    #expect(left == nil)
    #expect(
      lost == [
        "optimiser: conv1.bias.step: expected shape [2], found [1099511627776, 1099511627776]",
        "optimiser: conv1.bias.exp_avg: expected shape [2], found [3]",
        "optimiser: conv9.bias.exp_avg: no parameter for it",
      ])
  }

  @Test(
    .enabled(if: SharedFolder.isPresent),
    arguments: [
      ("NhatThanh_SRCNN/SRCNN915_ckpt.pt", 18), ("NhatThanh_FSRCNN/FSRCNN_x2_ckpt.pt", 60),
    ])
  func publishedCheckpointsGiveTheirs(file: String, count: Int) throws {
    let path = try #require(SharedFolder.path("weights/pytorch/" + file))
    let state = try #require(try WeightsFile.read(path).optimizer)
    #expect(state.algorithm == "adam")
    #expect(state.step == 300_000)
    #expect(state.tensors.count == count)
    #expect(try state.tensors.loaded().count == count)
  }
}
