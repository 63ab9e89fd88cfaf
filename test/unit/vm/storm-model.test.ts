import { describe, expect, it } from 'vitest';
import { costOf, extrapolate, requestsOf, withPredictions } from '../../../src/vm/judge-storms.js';
import { forecast, ownSeconds, type StormPlace } from '../../../src/vm/storm-model.js';
import { stormOf } from './storm-fixture.js';

/** 100 MB and 2 processor seconds of the servers, 60 s where neither is scarce. */
const cost = { seconds: 60, bytes: 100e6, serverCpuSeconds: 2, serialCpuSeconds: 0, emulatorCpuSeconds: 40 };
const wide: StormPlace = { uplinkMbit: 100_000, nodeMbit: 1_000, serverCpus: 1_000 };

describe('the model of a storm', () => {
  it('has the time of a node without its transfer: 100 MB through 1 Gbit/s are 0.8 s', () => {
    expect(ownSeconds(cost, wide, 1)).toBeCloseTo(59.2);
  });

  it('takes the transfer from the slowest part of the place where it was measured: two share 10 Mbit/s', () => {
    const slow = { ...wide, uplinkMbit: 10, nodeMbit: 1_000 };
    expect(ownSeconds({ ...cost, seconds: 200 }, slow, 2)).toBeCloseTo(200 - 160);
  });

  it('never gives a node less than no time of its own', () => {
    expect(ownSeconds({ ...cost, seconds: 10 }, { ...wide, uplinkMbit: 10 }, 2)).toBe(0);
  });

  it.each([
    ['node', { uplinkMbit: 100_000, nodeMbit: 100, serverCpus: 1_000 }, 10, 8],
    ['uplink', { uplinkMbit: 1_000, nodeMbit: 1_000, serverCpus: 1_000 }, 100, 80],
    ['server', { uplinkMbit: 100_000, nodeMbit: 1_000, serverCpus: 4 }, 100, 50],
  ] as const)('is held up by the %s', (bottleneck, place, nodes, seconds) => {
    const found = forecast(30, cost, place, nodes);
    expect(found).toMatchObject({ nodes, bottleneck });
    expect(found.transferSeconds).toBeCloseTo(seconds);
    expect(found.seconds).toBeCloseTo(30 + seconds);
  });

  it('is held up by a server with one thread however many processors there are', () => {
    const found = forecast(0, { ...cost, serialCpuSeconds: 0.7 }, wide, 1_000);
    expect(found).toMatchObject({ bottleneck: 'server' });
    expect(found.seconds).toBeCloseTo(700);
  });

  it('grows in proportion to the nodes once the uplink is full', () => {
    const at = (nodes: number) =>
      forecast(0, cost, { ...wide, uplinkMbit: 10_000, serverCpus: 1e6 }, nodes).seconds;
    expect(at(4_000) / at(1_000)).toBeCloseTo(4);
  });

  it('in a lab is never faster than its processors play the nodes and servers', () => {
    const lab = { ...wide, emulatorCpus: 2 };
    // 59.2 s of its own and 0.8 s for the bytes; two processors play four nodes, 42 s each with its servers, in 84 s.
    expect(forecast(59.2, cost, lab, 2)).toMatchObject({ bottleneck: 'node', seconds: 60 });
    expect(forecast(59.2, cost, lab, 4)).toMatchObject({ bottleneck: 'emulation', seconds: 84 });
    expect(forecast(59.2, cost, lab, 4).transferSeconds).toBeCloseTo(0.8);
  });

  it('in a lab does not notice the processors while a narrow uplink makes the nodes wait for longer', () => {
    const lab = { ...wide, uplinkMbit: 20, emulatorCpus: 2 };
    expect(forecast(20, cost, lab, 8)).toMatchObject({ bottleneck: 'uplink', seconds: 20 + 320 });
  });

  it('on hardware knows no processor time of an emulator', () => {
    expect(forecast(59.2, cost, wide, 1_000)).toEqual(
      forecast(59.2, { ...cost, emulatorCpuSeconds: 1e6 }, wide, 1_000),
    );
  });

  it('gives back what it was measured from', () => {
    const place = { uplinkMbit: 20, nodeMbit: 100, serverCpus: 2 };
    const measured = {
      seconds: 130,
      bytes: 60e6,
      serverCpuSeconds: 1,
      serialCpuSeconds: 0.5,
      emulatorCpuSeconds: 0,
    };
    expect(forecast(ownSeconds(measured, place, 2), measured, place, 2).seconds).toBeCloseTo(130);
  });
});

describe('storms that were measured', () => {
  const place = { uplinkMbit: 80, nodeMbit: 1_000, serverCpus: 1_000 };
  const one = stormOf({ size: 1, seconds: 40, bytes: 100e6, place });
  const four = stormOf({ size: 4, seconds: 75, bytes: 100e6, place });

  it('cost per node the mean of the nodes, and its share of the servers', () => {
    const storm = stormOf({ size: 2, seconds: 9, bytes: 5, place, cpu: { dnsmasq: 1, 'ganesha.nfsd': 3 } });
    expect(costOf(storm)).toEqual({
      seconds: 9,
      bytes: 5,
      serverCpuSeconds: 2,
      serialCpuSeconds: 0.5,
      emulatorCpuSeconds: 50,
    });
    expect(requestsOf({ ...storm, httpRequests: 4 })).toBe(1000 + 2);
  });

  it('are predicted from the smallest one of the same transport', () => {
    // Alone 40 s, of which 10 s transfer; four need 40 s for it.
    const [smallest, larger] = withPredictions([one, four]);
    expect(smallest?.predictedSeconds).toBeUndefined();
    expect(larger?.predictedSeconds).toBeCloseTo(70);
    const [other] = withPredictions([
      stormOf({ size: 4, seconds: 75, bytes: 1, place, transport: 'nfs-4.1' }),
    ]);
    expect(other?.predictedSeconds).toBeUndefined();
  });

  it('that failed are no basis and get no prediction', () => {
    const failed = stormOf({ size: 1, bytes: 1, place });
    const [first, second] = withPredictions([failed, four]);
    expect(first?.predictedSeconds).toBeUndefined();
    expect(second?.predictedSeconds).toBeUndefined();
    expect(extrapolate([failed], place)).toEqual([]);
  });

  it('are extrapolated to 100, 1,000 and 4,000 nodes of another head node', () => {
    const [found] = extrapolate([four, one], { uplinkMbit: 10_000, nodeMbit: 1_000, serverCpus: 1_000 });
    expect(found).toMatchObject({ transport: 'nfs-3', ownSeconds: 30, bytesPerNode: 100e6 });
    expect(found?.forecasts.map(({ nodes, seconds }) => [nodes, Math.round(seconds)])).toEqual([
      [100, 38],
      [1_000, 110],
      [4_000, 350],
    ]);
  });
});
