@testable import AviaryGraph
import Testing

/// How networks take and give images, as JSON.
@Suite struct ImageTests {
  @Test func onlyWhatIsNotTheDefaultIsWritten() throws {
    #expect(ImageSpec(.luma).json.text == #"{"colour":"luma"}"#)
    let full = ImageSpec(
      .ycbcrJPEG, range: -1...1, mean: [0.5, 0.25, 0], deviation: [1, 2, 4], output: .noise,
      enlargeFirst: .bicubic, scales: [2, 3], padding: .reflect)
    #expect(
      full.json.text
        == #"{"colour":"ycbcr-jpeg","deviation":[1,2,4],"enlargeFirst":"bicubic","#
        + #""mean":[0.5,0.25,0],"output":"noise","padding":"reflect","range":[-1,1],"scales":[2,3]}"#
    )
    #expect(try ImageSpec(json: JSON(parsing: full.json.text)) == full)
    for colour in ImageSpec.Colour.allCases {
      for output in ImageSpec.Output.allCases {
        for enlargement in ImageSpec.Enlargement.allCases {
          let picture = ImageSpec(colour, range: 0...255, output: output, enlargeFirst: enlargement)
          #expect(try ImageSpec(json: JSON(parsing: picture.json.text)) == picture)
        }
      }
    }
  }

  @Test func theResultMayHaveAnotherRange() throws {
    var picture = ImageSpec(.gray, range: 0...255)
    picture.outputRange = -1...1
    #expect(
      picture.json.text == #"{"colour":"gray","outputRange":[-1,1],"range":[0,255]}"#)
    #expect(try ImageSpec(json: picture.json) == picture)
    #expect(picture.scaling(channel: 0) == (255, 0))
    #expect(picture.resultScaling(channel: 0) == (2, -1))
    #expect(throws: GraphError.self) {
      try ImageSpec(json: ["colour": "gray", "outputRange": [0, 1], "output": "noise"])
    }
  }

  @Test func channels() {
    #expect(ImageSpec(channels: 1) == ImageSpec(.luma))
    #expect(ImageSpec(channels: 3) == ImageSpec(.rgb))
    #expect(ImageSpec.Colour.allCases.map(\.channels) == [3, 4, 1, 1, 3, 3])
  }

  @Test(arguments: [
    ("[]", "picture: expected an object, found an array"),
    (
      "{}",
      "picture.colour: expected one of 'rgb', 'rgba', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg', "
        + "found nothing"
    ),
    (
      #"{"colour":"grey"}"#,
      "picture.colour: expected one of 'rgb', 'rgba', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg', "
        + "found 'grey'"
    ),
    (
      #"{"colour":1}"#,
      "picture.colour: expected one of 'rgb', 'rgba', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg', "
        + "found an integer"
    ),
    (
      #"{"colour":"rgb","color":"rgb"}"#,
      "picture.color: expected only colour, deviation, enlargeFirst, mean, output, outputRange, padding, range, scales, found an unknown member"
    ),
    (
      #"{"colour":"rgb","output":"image"}"#,
      "picture.output: expected one of 'picture', 'residual', 'noise', found 'image'"
    ),
    (
      #"{"colour":"rgb","enlargeFirst":true}"#,
      "picture.enlargeFirst: expected one of 'no', 'bicubic', found a truth value"
    ),
    (
      #"{"colour":"rgb","padding":"mirror"}"#,
      "picture.padding: expected one of 'edge', 'reflect', 'symmetric', 'zero', found 'mirror'"
    ),
    (
      #"{"colour":"rgb","range":[1,0]}"#,
      "picture.range: expected [black, white], rising, found [1.0, 0.0]"
    ),
    (
      #"{"colour":"rgb","range":[1]}"#,
      "picture.range: expected [black, white], rising, found [1.0]"
    ),
    (
      #"{"colour":"rgb","range":255}"#, "picture.range: expected an array of numbers, found 255"
    ),
    (
      #"{"colour":"rgb","mean":[0.5]}"#, "picture.mean: expected 3 numbers, found 1"
    ),
    (
      #"{"colour":"luma","deviation":[1,2]}"#, "picture.deviation: expected 1 numbers, found 2"
    ),
    (
      #"{"colour":"luma","deviation":[0]}"#,
      "picture.deviation: expected numbers above 0, found [0.0]"
    ),
    (
      #"{"colour":"luma","mean":["0"]}"#,
      #"picture.mean: expected an array of numbers, found ["0"]"#
    ),
    (
      #"{"colour":"luma","scales":2}"#,
      "picture.scales: expected an array of integers from 1 to 64, found 2"
    ),
    (
      #"{"colour":"luma","scales":[2,0]}"#,
      "picture.scales: expected an array of integers from 1 to 64, found [2,0]"
    ),
    (
      #"{"colour":"luma","scales":[2.5]}"#,
      "picture.scales: expected an array of integers from 1 to 64, found [2.5]"
    ),
    (
      #"{"colour":"luma","scales":[9223372036854775807]}"#,
      "picture.scales: expected an array of integers from 1 to 64, found [9223372036854775807]"
    ),
  ])
  func whatIsRefused(_ text: String, _ message: String) {
    #expect {
      try ImageSpec(json: JSON(parsing: text))
    } throws: {
      "\($0)" == message
    }
  }

  /// Ranges and means so large that their difference is not finite are no ranges.
  @Test func numbersAtTheEnd() throws {
    #expect(throws: GraphError.self) {
      try ImageSpec(json: JSON(parsing: #"{"colour":"luma","range":[0,1e999]}"#))
    }
    let wide = try ImageSpec(json: JSON(parsing: #"{"colour":"luma","range":[-1e308,1e308]}"#))
    #expect(wide.range == -1e308...1e308)
  }
}
