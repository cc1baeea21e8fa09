/** A store in memory behind the API, for tests of the adapter. */
package io.elastickv.redis.fake;
