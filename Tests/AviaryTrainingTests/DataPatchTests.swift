import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

@testable import AviaryTraining

/// A patch is the part of an image that whole images give: as if all of it had been made worse,
/// converted and enlarged.
@Suite struct DataPatchTests {
  static let degradations: [[DataRecipe.Degradation]] = [
    [], [.blur(deviation: 1.1...1.1)], [.jpeg(quality: 30...30)],
    [.blur(deviation: 0.7...0.7), .jpeg(quality: 40...40)],
    [.jpeg(quality: 20...20), .blur(deviation: 0.9...0.9), .jpeg(quality: 60...60)],
  ]

  @Test(arguments: degradations, [false, true])
  func patchesAreOfTheWhole(
    _ degradations: [DataRecipe.Degradation], _ enlargesFirst: Bool
  ) throws {
    let picture = ImageSpec(.luma, enlargeFirst: enlargesFirst ? .bicubic : .no)
    let geometry = try DataFixture.geometry(picture, scale: 2, patch: 10)
    let target = try DataFixture.waves(140, 108)
    let small = try Resampling(rounding: .eight).resize(target, by: ScaleFactor(1, over: 2))
    let pair = ImagePair(
      name: "a", target: StoredImage(target), input: StoredImage(small))
    var data = DataRecipe(targets: "")
    data.degradations = degradations
    var generator = SeededGenerator(seed: 1)
    let plain = Augmentation(DataFixture.recipe(), using: &generator)
    var whole = try data.degraded(small, using: &generator).converted(to: .luma)
    if enlargesFirst { whole = try Resampling().resize(whole, by: ScaleFactor(2)) }
    let ratio = geometry.ratio
    // Corners, and inner places at every phase.
    let places = [
      (0, 0), (target.width / ratio - 10, target.height / ratio - 10), (23, 17), (24, 31), (37, 22),
    ]
    for (x, y) in places {
      let patch = try pair.patch(
        x: x, y: y, geometry, .luma, plain, degradations, using: &generator)
      let expected = try whole.cropped(x: x, y: y, width: 10, height: 10)
      let difference = zip(patch.input.pixels.floats, expected.pixels.floats)
        .map { abs($0 - $1) }.max()
      #expect(difference ?? 1 <= 1e-6, "at (\(x), \(y))")
      let side = 10 * ratio
      let part = try target.cropped(x: x * ratio, y: y * ratio, width: side, height: side)
      #expect(try patch.target == part.converted(to: .luma))
    }
  }

  /// Inputs of one value for every 2x2 pixels of the target: turned, mirrored or with its channels
  /// exchanged, a target must stay its input enlarged.
  @Test func inputsAndTargetsAreTurnedAlike() throws {
    let targets = try TemporaryFolder(), inputs = try TemporaryFolder()
    let small = try DataFixture.noise(15, 12)
    try DataFixture.write(small, "a.png", in: inputs)
    let large = try Resampling(.nearest).resize(small, by: ScaleFactor(2))
    try DataFixture.write(large, "a.png", in: targets)
    var data = DataRecipe(targets: targets.path)
    data.inputs = inputs.path
    let set = try TrainingSet(
      data, DataFixture.recipe(size: 40, patch: 5, augmented: true), picture: ImageSpec(.rgb),
      geometry: DataFixture.geometry(scale: 2, patch: 5), seed: 3)
    let batch = try set.batch(step: 0)
    #expect(batch.input.shape == [40, 3, 5, 5])
    #expect(batch.target.shape == [40, 3, 10, 10])
    for sample in 0..<40 {
      for channel in 0..<3 {
        let input = Batch.plane(batch.input, sample, channel)
        let target = Batch.plane(batch.target, sample, channel)
        for y in 0..<10 {
          #expect(target[y] == (0..<10).map { input[y / 2][$0 / 2] })
        }
      }
    }
  }

  /// Of an image as large as the patch there is one place: what differs is how it is turned.
  @Test func everyTurnComesUp() throws {
    let folder = try TemporaryFolder()
    let image = try DataFixture.noise(6, 6)
    try DataFixture.write(image, "a.png", in: folder)
    let data = DataRecipe(targets: folder.path)
    func kinds(_ change: (inout BatchRecipe) -> Void) throws -> Set<[Float]> {
      var recipe = DataFixture.recipe(size: 200, patch: 6)
      change(&recipe)
      let set = try TrainingSet(
        data, recipe, picture: ImageSpec(.rgb), geometry: DataFixture.geometry(patch: 6), seed: 1)
      #expect(set.placeCount == 1)
      let batch = try set.batch(step: 1)
      #expect(batch.input == batch.target)
      let floats = batch.input.floats
      return Set((0..<200).map { Array(floats[$0 * 108..<($0 + 1) * 108]) })
    }
    #expect(try kinds { _ in } == [image.pixels.floats])
    #expect(try kinds { $0.horizontalFlip = true }.count == 2)
    #expect(try kinds { $0.rot90 = true }.count == 4)
    #expect(try kinds { ($0.horizontalFlip, $0.rot90) = (true, true) }.count == 8)
    #expect(try kinds { $0.channelShuffle = true }.count == 6)
    // A turn to the right brings the left column to the top.
    let turned = try kinds { $0.rot90 = true }
    let right = (0..<3).flatMap { c in
      (0..<6).flatMap { y in (0..<6).map { x in image[c, 5 - x, y] } }
    }
    #expect(turned.contains(right))
    let mirrored = (0..<3).flatMap { c in
      (0..<6).flatMap { y in (0..<6).map { x in image[c, y, 5 - x] } }
    }
    #expect(try kinds { $0.horizontalFlip = true }.contains(mirrored))
  }

  @Test func everyPlaceIsEquallyLikely() throws {
    let folder = try TemporaryFolder()
    // 3 x 2 places, and 2.
    try DataFixture.write(try DataFixture.noise(6, 5, .gray, seed: 1), "a.png", in: folder)
    try DataFixture.write(try DataFixture.noise(5, 4, .gray, seed: 2), "b.png", in: folder)
    let picture = ImageSpec(.luma)
    let set = try TrainingSet(
      DataRecipe(targets: folder.path), DataFixture.recipe(size: 400, patch: 4), picture: picture,
      geometry: DataFixture.geometry(picture, patch: 4), seed: 1)
    #expect(set.placeCount == 8)
    var counts: [[Float]: Int] = [:]
    for step in 0..<4 {
      let floats = try set.batch(step: step).input.floats
      for sample in 0..<400 {
        counts[Array(floats[sample * 16..<(sample + 1) * 16]), default: 0] += 1
      }
    }
    #expect(counts.count == 8)
    // 200 each, give or take four deviations.
    #expect(counts.values.allSatisfy { abs($0 - 200) < 53 }, "\(counts.values)")
  }

  @Test func valuesAreTheNetworks() throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.noise(6, 6), "a.png", in: folder)
    let plain = ImageSpec(.rgb)
    let own = ImageSpec(
      .rgb, range: -1...1, mean: [0.1, 0.2, 0.3], deviation: [0.5, 0.25, 2])
    func batch(_ picture: ImageSpec) throws -> Batch {
      try TrainingSet(
        DataRecipe(targets: folder.path), DataFixture.recipe(size: 1, patch: 6), picture: picture,
        geometry: DataFixture.geometry(picture, patch: 6), seed: 1
      ).batch(step: 0)
    }
    let before = try batch(plain).input.floats, after = try batch(own).target.floats
    for c in 0..<3 {
      for i in c * 36..<(c + 1) * 36 {
        let expected = (before[i] * 2 - 1 - Float(own.mean[c])) / Float(own.deviation[c])
        #expect(abs(after[i] - expected) <= 1e-6 * max(1, abs(expected)))
      }
    }
  }

  /// What is to be added to the input, or subtracted; less the rim that convolutions without
  /// padding cost.
  @Test(arguments: [ImageSpec.Output.residual, .noise])
  func residualsAndRims(_ output: ImageSpec.Output) throws {
    let folder = try TemporaryFolder()
    try DataFixture.write(try DataFixture.noise(20, 20, .gray), "a.png", in: folder)
    let plain = ImageSpec(.gray, range: 0...255)
    var other = plain
    other.output = output
    var data = DataRecipe(targets: folder.path)
    data.degradations = [.noise(deviation: 10...10)]
    func batch(_ picture: ImageSpec) throws -> Batch {
      try TrainingSet(
        data, DataFixture.recipe(augmented: true), picture: picture,
        geometry: DataFixture.geometry(picture, padding: .valid), seed: 1
      ).batch(step: 0)
    }
    let direct = try batch(plain), indirect = try batch(other)
    #expect(direct.input == indirect.input)
    #expect(direct.target.shape == [4, 1, 6, 6])
    let sign: Float = output == .residual ? 1 : -1
    for sample in 0..<4 {
      let input = Batch.plane(direct.input, sample, 0)
      let target = Batch.plane(direct.target, sample, 0)
      let found = Batch.plane(indirect.target, sample, 0)
      for y in 0..<6 {
        for x in 0..<6 {
          #expect(found[y][x] == sign * (target[y][x] - input[y + 1][x + 1]))
        }
      }
    }
  }

  /// A network on gray is shown one channel of a colour image, the same of input and target.
  @Test func grayNetworksSeeOneChannel() throws {
    let folder = try TemporaryFolder()
    let image = try DataFixture.noise(6, 6)
    try DataFixture.write(image, "a.png", in: folder)
    let picture = ImageSpec(.gray)
    var data = DataRecipe(targets: folder.path)
    func batch() throws -> Batch {
      try TrainingSet(
        data, DataFixture.recipe(size: 30, patch: 6), picture: picture,
        geometry: DataFixture.geometry(picture, patch: 6), seed: 1
      ).batch(step: 0)
    }
    let plain = try batch()
    #expect(plain.input == plain.target)
    let floats = plain.input.floats
    let found = Set((0..<30).map { Array(floats[$0 * 36..<($0 + 1) * 36]) })
    #expect(try found == Set((0..<3).map { try image.plane($0).pixels.floats }))
    // JPEG sees all channels, and the same is taken of what it makes.
    var flat = image
    for c in 0..<3 { for i in 0..<36 { flat[c, i / 6, i % 6] = Float(c + 1) / 5 } }
    try DataFixture.write(flat, "a.png", in: folder)
    data.degradations = [.jpeg(quality: 100...100)]
    let compressed = try batch()
    let differences = zip(compressed.input.floats, compressed.target.floats).map { abs($0 - $1) }
    #expect(differences.max() ?? 1 < 0.02)
    #expect(Set(compressed.target.floats).count == 3)
  }
}
